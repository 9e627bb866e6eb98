"""Commands that need the engine: check, space, run, save."""

from __future__ import annotations

import argparse
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shlex import quote
from types import FrameType

from tunerstudio.cli import STOPPED
from tunerstudio.cli.background import run_in_background
from tunerstudio.cli.commands import plain_objective, stored_trials, trial_json
from tunerstudio.cli.output import Output, number
from tunerstudio.cli.progress import RunProgress
from tunerstudio.cli.space_check import check_whole_space
from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.engine import CheckReport, Engine
from tunerstudio.engine.session import SessionResult
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.files import load_document
from tunerstudio.study.hyperparameters import Float, Int, SearchSpace, describe_values
from tunerstudio.study.trials import TrialState, ranked
from tunerstudio.study.trust import trust

NOTHING_COMPLETED = 3


def check(options: argparse.Namespace, output: Output) -> int:
    """Say what is wrong with a study, or that nothing is."""
    _trust(options)
    if options.space:
        return check_whole_space(options.study, output)
    with Engine() as engine:
        report = engine.check(options.study, output.note)
    for warning in report.warnings:
        output.warn(warning)
    output.result(_check_json(report))
    size = "infinitely many" if math.isinf(report.size) else f"{report.size:,.0f}"
    parameters = "" if report.parameters is None else f", {report.parameters:,} parameters at the default values"
    output.say(f"The study can run: {size} configurations{parameters}.")
    output.say(f"Trials run on {report.device}. {report.device_reason}".rstrip())
    return 0


def _check_json(report: CheckReport) -> dict[str, object]:
    return {
        "ok": True,
        "size": report.size,
        "metrics": list(report.metrics),
        "parameters": report.parameters,
        "road": report.road,
        "device": report.device,
        "device_reason": report.device_reason,
        "warnings": report.warnings,
    }


def space(options: argparse.Namespace, output: Output) -> int:
    """Print the search space: all that Keras Tuner's summary has."""
    _trust(options)
    with Engine() as engine:
        found = engine.space(options.study)
    size = found.count()
    output.result({"size": size, "hyperparameters": [h.model_dump() for h in found.hyperparameters]})
    configurations = "infinitely many" if math.isinf(size) else f"{size:,.0f}"
    output.say(f"{len(found.hyperparameters)} hyperparameters, {configurations} configurations")
    headings = ["name", "type", "default", "min", "max", "step", "sampling", "values", "only if"]
    output.table(headings, _space_rows(found), right=["default", "min", "max", "step"])
    return 0


def _space_rows(found: SearchSpace) -> Iterator[list[str]]:
    for h in found.hyperparameters:
        conditions = "; ".join(f"{c.parent} = {' | '.join(map(str, c.values))}" for c in h.conditions)
        default = h.default_value()
        shown = number(default) if isinstance(default, float) else str(default)
        if isinstance(h, Int | Float):
            step = "–" if h.step is None else number(h.step)
            yield [h.name, h.kind, shown, number(h.min), number(h.max), step, h.sampling, "", conditions]
        else:
            yield [h.name, h.kind, shown, "–", "–", "–", "–", describe_values(h), conditions]


def run(options: argparse.Namespace, output: Output) -> int:
    """Run the search, with progress; Ctrl+C once ends after the epoch, twice at once."""
    _trust(options)
    if options.background:
        return run_in_background(options, output)
    document = load_document(options.study)
    control = SessionControl()
    progress = RunProgress(document, stored_trials(options.study), options.trials, output)
    try:
        with _stop_on_signal(control, lambda: progress.has_begun), Engine() as engine, progress:
            result = engine.run(options.study, control, progress.listener(), options.trials, progress.say)
    finally:
        control.close()
    _report(options, document, result, output)
    if result.reason == "stopped":
        return STOPPED
    return 0 if result.completed else NOTHING_COMPLETED


def _report(options: argparse.Namespace, document: StudyDocument, result: SessionResult, output: Output) -> None:
    """How the search ended, and the best trial."""
    best_first = ranked(stored_trials(options.study), document.search.objective.direction)
    best = best_first[0] if best_first and best_first[0].state is TrialState.COMPLETED else None
    output.result(
        {
            "study": str(options.study),
            "objective": plain_objective(document),
            "reason": result.reason,
            "message": result.message,
            "completed": result.completed,
            "best": None if best is None else trial_json(best),
        }
    )
    output.say(f"{result.message[0].upper()}{result.message[1:]}.")
    if best is not None:
        objective, study = document.search.objective, quote(str(options.study))
        output.say(f"Best: trial {best.number}, {objective.name} {number(best.score)}.")
        output.say(f"Next: tunerstudio results {study}   or   tunerstudio save {study} --top 3")


def save(options: argparse.Namespace, output: Output) -> int:
    """Save the best models."""
    _trust(options)
    with Engine() as engine:
        saved = engine.save(options.study, options.top, options.to, lambda share, text: output.note(text))
    output.result(
        {
            "models": [
                {
                    "path": str(model.path),
                    "trial": model.trial,
                    "score": model.score,
                    "saved_score": model.saved_score,
                    "test": model.test,
                    "verified": model.verified,
                }
                for model in saved
            ]
        }
    )
    rows = []
    for model in saved:
        test = ", ".join(f"{name} {number(value)}" for name, value in model.test.items())
        rows.append((model.trial, number(model.score), test or "–", "yes" if model.verified else "no", model.path))
    output.table(["trial", "score", "test part", "reloads", "file"], rows, right=["trial", "score"])
    return 0


def _trust(options: argparse.Namespace) -> None:
    if options.trust:
        trust(options.study)


@contextmanager
def _stop_on_signal(control: SessionControl, has_begun: Callable[[], bool]) -> Iterator[None]:
    """Ctrl+C and SIGTERM ask the session to stop: first after the epoch, then now.

    Before the first trial there is nothing to wait for, and after a third Ctrl+C no patience left: both leave at once.
    """
    asked = 0

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked > 2 or not has_begun():
            raise KeyboardInterrupt
        control.request_stop("epoch" if asked == 1 and number == signal.SIGINT else "now")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
