"""A search as it might be half way: 22 completed trials, one failed, one running, of 50."""

import math

import numpy as np

from tunerstudio.store.reader import LogLine
from tunerstudio.study.search import Training
from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState

START = 1_760_000_000.0
EPOCHS = 15
EXECUTIONS = 3


def with_training(document):
    """`document` with 50 trials of 3 executions of 15 epochs."""
    budget = document.search.budget.model_copy(update={"trials": 50})
    return document.model_copy(
        update={
            "search": document.search.model_copy(update={"budget": budget}),
            "training": Training(epochs=EPOCHS, executions=EXECUTIONS),
        }
    )


def values_of(rng):
    return {
        "dense_1_units": int(rng.choice(range(9, 28, 3))),
        "dense_1_activation": str(rng.choice(["relu", "tanh"])),
        "learning_rate": float(np.round(np.exp(rng.uniform(math.log(0.001), math.log(0.02))), 4)),
    }


def epochs_of(rng, number, execution, values, count, start):
    rate = 0.08 + 12 * values["learning_rate"]
    noise = rng.normal(0, 0.004, (count, 2))
    epochs = []
    for index in range(1, count + 1):
        loss = 0.1 + 0.6 * math.exp(-rate * index)
        accuracy = 0.972 - 0.35 * math.exp(-1.4 * rate * index)
        metrics = {
            "accuracy": accuracy + 0.005 + noise[index - 1, 0],
            "loss": loss - 0.01 + noise[index - 1, 0],
            "val_accuracy": accuracy + 2 * noise[index - 1, 1],
            "val_loss": loss + 2 * noise[index - 1, 1],
        }
        epochs.append(Epoch(number, execution, index, metrics, start + 0.02 * index))
    return epochs


def completed_trial(rng, number, start, executions=EXECUTIONS, epochs=EPOCHS):
    """One completed trial and all its epochs."""
    values = values_of(rng)
    reports, fits = [], []
    for execution in range(executions):
        own = epochs_of(rng, number, execution, values, epochs, start + 0.3 * execution)
        best = max(own, key=lambda epoch: epoch.metrics["val_accuracy"])
        score = best.metrics["val_accuracy"]
        fits.append(
            Execution(execution, TrialState.COMPLETED, 232 + execution, score, best.epoch, epochs, best.metrics)
        )
        reports += own
    scores = np.array([fit.score for fit in fits])
    error = float(scores.std(ddof=1) / math.sqrt(executions)) if executions > 1 else None
    trial = Trial(
        number=number,
        state=TrialState.COMPLETED,
        values=values,
        score=float(scores.mean()),
        standard_error=error,
        executions=tuple(fits),
        epochs_planned=epochs,
        road="fused",
        parameters=values["dense_1_units"] * 11 + 1,
        device="CPU",
        attempts=1,
        created_at=start,
        started_at=start,
        ended_at=start + 0.3 * executions,
        duration_s=0.3 * executions,
    )
    return trial, reports


def half_way(seed=1):
    """(trials, epochs, log lines)."""
    rng = np.random.default_rng(seed)
    trials, epochs, log = [], [], [LogLine(START, "info", "The search starts: random, 50 trials, seed 232.")]
    clock = START
    for number in range(1, 24):
        if number == 9:
            trials.append(failed_trial(rng, number, clock))
            log.append(LogLine(clock, "error", "Trial 9 failed: the loss became NaN in epoch 3."))
        else:
            trial, reports = completed_trial(rng, number, clock)
            trials.append(trial)
            epochs += reports
            log.append(LogLine(trial.ended_at, "info", f"Trial {number} completed: {trial.score:.4f}"))
        clock += 1.05
    trial, reports = running_trial(rng, 24, clock)
    return [*trials, trial], [*epochs, *reports], log


def failed_trial(rng, number, start):
    return Trial(
        number=number,
        state=TrialState.FAILED,
        values=values_of(rng),
        message="The loss became NaN in epoch 3: the learning rate is too high for these values.",
        details="Traceback (most recent call last):\n  ...\nInvalidLossError: loss is nan at epoch 3",
        epochs_planned=EPOCHS,
        device="CPU",
        attempts=1,
        created_at=start,
        started_at=start,
        ended_at=start + 0.4,
        duration_s=0.4,
    )


def running_trial(rng, number, start):
    values = values_of(rng)
    reports = epochs_of(rng, number, 0, values, EPOCHS, start)
    best = max(reports, key=lambda epoch: epoch.metrics["val_accuracy"])
    score = best.metrics["val_accuracy"]
    first = Execution(0, TrialState.COMPLETED, 232, score, best.epoch, EPOCHS, best.metrics)
    reports += epochs_of(rng, number, 1, values, 7, start + 0.3)
    trial = Trial(
        number=number,
        state=TrialState.RUNNING,
        values=values,
        executions=(first, Execution(1, TrialState.RUNNING, 233, epochs=7)),
        epochs_planned=EPOCHS,
        parameters=values["dense_1_units"] * 11 + 1,
        device="CPU",
        attempts=1,
        created_at=start,
        started_at=start,
    )
    return trial, reports
