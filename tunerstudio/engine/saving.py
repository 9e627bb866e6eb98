"""Saving the best models of a study: exported, evaluated, loaded again from the file alone, and described."""

from __future__ import annotations

import datetime
import hashlib
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from tunerstudio.engine.executors.local import Worker, WorkerPool
from tunerstudio.engine.preparation import (
    code_text,
    data_folder,
    open_in_worker,
    prepare_data,
    read_study,
    refuse_strangers_code,
    study_key,
)
from tunerstudio.protocol.worker import ExportModel, ModelExported, ModelVerified, VerifyModel
from tunerstudio.registry.card import DataCard, ExecutionCard, ModelCard, SearchCard, write_card
from tunerstudio.registry.saved import MODELS_FOLDER, read_saved
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import ModelError, TunerStudioError
from tunerstudio.study.files import parse_document, write_atomically
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.model import CodeModel, EstimatorModel
from tunerstudio.study.preprocessing import PreparedData
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Execution, Trial, TrialState, ranked

Progress = Callable[[float, str], None]
"""Takes the share done (0 to 1) and a sentence."""


@dataclass(frozen=True)
class SavedModel:
    """What was saved.

    Attributes:
        path: The model file.
        trial: Number of the trial.
        score: Mean score of the trial.
        saved_score: Score of the execution whose weights were saved.
        test: Metrics on the test part; empty without one.
        verified: Whether the file alone, loaded in a fresh process, gives `saved_score` again.
    """

    path: Path
    trial: int
    score: float
    saved_score: float
    test: dict[str, float]
    verified: bool


@dataclass(frozen=True)
class _Context:
    """What all models of one save share."""

    folder: Path
    document: StudyDocument
    data: PreparedData
    data_at: Path
    space: SearchSpace
    trials: list[Trial]
    exporter: Worker
    verifier: Worker


def best_execution(trial: Trial, objective: Objective) -> Execution:
    """The execution of a completed `trial` with the best score (the earlier one of equals)."""
    done = [e for e in trial.executions if e.state is TrialState.COMPLETED and e.score is not None]
    sign = -1.0 if objective.direction == "max" else 1.0
    return min(done, key=lambda execution: sign * (execution.score or 0.0))


def save_top(
    folder: Path, numbers: list[int] | None, top: int, to: Path | None, pool: WorkerPool, progress: Progress
) -> list[SavedModel]:
    """Save models of the study in `folder`.

    Args:
        folder: The study folder.
        numbers: Trials to save; None: the `top` best ones.
        top: How many.
        to: Where; None: the study's `models` folder.
        pool: Gives a worker to export and another, fresh one to verify.
        progress: Told how far it is.

    Raises:
        TunerStudioError: If there is nothing to save or a model cannot be exported; earlier ones stay saved.
    """
    document = read_study(folder)
    with StudyReader(folder) as reader:
        trials = reader.trials()
        chosen = _choose(trials, document, numbers, top)
        documents = {key: _document(reader, folder, document, key) for key in {trial.document for trial in chosen}}
    progress(0.0, "reading the data")
    target = to if to is not None else folder / MODELS_FOLDER
    target.mkdir(parents=True, exist_ok=True)
    _remove_remains(target)
    with pool.lease(fresh=True) as verifier, pool.lease() as exporter:
        saved = []
        # The verifier is taken first, so that it cannot be the exporter; it never opens a study.
        workers = verifier.worker(), exporter.worker()
        context: _Context | None = None
        for place, trial in enumerate(chosen):
            progress(place / len(chosen), f"saving trial {trial.number} ({place + 1} of {len(chosen)})")
            own = documents[trial.document]
            if context is None or context.document is not own:
                context = _context(folder, document, own, trials, *workers)
            saved.append(_save_one(context, trial, target))
    progress(1.0, f"{len(saved)} {'model is' if len(saved) == 1 else 'models are'} saved in {target}")
    return saved


def _document(reader: StudyReader, folder: Path, now: StudyDocument, key: str) -> StudyDocument:
    """The document that a trial was trained by, with its code of then: the study may have been edited since.

    Only where the data lie is taken from the document of `now`.
    """
    if not key:
        return now
    text = reader.document(key)
    if text is None:
        raise TunerStudioError(f"the history of this study lacks the document {key!r} of its trials")
    document = parse_document(yaml.safe_load(text))
    refuse_strangers_code(folder, document)
    document = document.model_copy(update={"data": document.data.model_copy(update={"source": now.data.source})})
    code = reader.code(key)
    if not isinstance(document.model, CodeModel) or code is None or code == code_text(folder, document):
        return document
    kept = folder.resolve() / "cache" / "code" / key / Path(document.model.file).name
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(kept, code.encode())
    return document.model_copy(update={"model": document.model.model_copy(update={"file": str(kept)})})


def _context(
    folder: Path, now: StudyDocument, own: StudyDocument, trials: list[Trial], verifier: Worker, exporter: Worker
) -> _Context:
    """Data and exporter ready for trials that were trained by the document `own`."""
    data_at = data_folder(folder)
    if own.data != now.data:
        digest = hashlib.sha256(own.data.model_dump_json().encode()).hexdigest()
        data_at = data_at.with_name(f"{data_at.name}-{digest[:16]}")
    data = prepare_data(own, folder, data_at)
    space = open_in_worker(exporter, folder, own, data_at, study_key(folder, own, data))
    return _Context(folder, own, data, data_at, space, trials, exporter, verifier)


def _remove_remains(target: Path) -> None:
    """Remove what saves that were killed have left; those of living processes are being written at this moment."""
    for path in target.glob(".trial-*"):
        process = path.name.rsplit("-", 1)[-1].split(".")[0]
        if not (process.isdigit() and psutil.pid_exists(int(process))):
            shutil.rmtree(path, ignore_errors=True)


def _choose(trials: list[Trial], document: StudyDocument, numbers: list[int] | None, top: int) -> list[Trial]:
    best = ranked(trials, document.search.objective.direction)
    completed = [trial for trial in best if trial.state is TrialState.COMPLETED]
    if not completed:
        raise TunerStudioError("there is no completed trial yet, so there is no model to save: run the search first")
    if numbers is None:
        if top < 1:
            raise TunerStudioError(f"{top} models cannot be saved: 1 or more is needed")
        return completed[:top]
    missing = sorted(set(numbers) - {trial.number for trial in completed})
    if missing:
        raise TunerStudioError(f"trial {missing[0]} is not completed, so it has no model to save")
    return [trial for trial in completed if trial.number in numbers]


def _save_one(context: _Context, trial: Trial, target: Path) -> SavedModel:
    execution = best_execution(trial, context.document.search.objective)
    # Written beside its place and renamed when complete: a kill never leaves half a model under its name.
    final = target / f"trial-{trial.number:04d}"
    _check_place(final, trial)
    unfinished = target / f".{final.name}-{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        exported = context.exporter.ask(
            ExportModel(
                trial=trial.number,
                values=trial.values,
                execution=execution.index,
                seed=execution.seed,
                folder=str(context.folder.resolve() / "trials" / f"{trial.number:04d}"),
                to=str(unfinished.resolve()),
            )
        )
        if not isinstance(exported, ModelExported):
            raise ModelError(f"the worker answered {exported.type} to ExportModel")
        verified = _verify(context, unfinished / exported.file, exported, execution)
        write_card(unfinished, _card(context, trial, execution, exported, verified))
        if final.exists():
            former = unfinished.with_name(f"{unfinished.name}.former")
            final.rename(former)
            unfinished.rename(final)
            shutil.rmtree(former, ignore_errors=True)
        else:
            unfinished.rename(final)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    saved_score = _saved_score(context, trial, execution)
    return SavedModel(final / exported.file, trial.number, _finite(trial.score), saved_score, exported.test, verified)


def _is_refitted(context: _Context) -> bool:
    """A saved estimator is fitted anew on training and validation rows together: no fold's score is its own."""
    return isinstance(context.document.model, EstimatorModel)


def _saved_score(context: _Context, trial: Trial, execution: Execution) -> float:
    return _finite(trial.score if _is_refitted(context) else execution.score)


def _check_place(final: Path, trial: Trial) -> None:
    """Refuse to overwrite anything but an earlier save of the same trial."""
    if not final.exists():
        return
    card = read_saved(final).card
    if card is None or (card.trial, card.values, card.score) != (trial.number, trial.values, trial.score):
        raise TunerStudioError(
            f"{final} is there already and is not a saved model of this trial: move it away, or save to another folder"
        )


def _verify(context: _Context, path: Path, exported: ModelExported, execution: Execution) -> bool:
    """Whether the file alone, in a process that never saw the study, gives the stored score again."""
    name = context.document.search.objective.name.removeprefix("val_")
    command = VerifyModel(
        model=str(path.resolve()), data_folder=str(context.data_at.resolve()), metrics=tuple(exported.validation)
    )
    try:
        answer = context.verifier.ask(command)
    except ModelError:
        return False  # such as a layer of the user's own, which no file can hold: the card says how to load it
    if not isinstance(answer, ModelVerified):
        raise ModelError(f"the worker answered {answer.type} to VerifyModel")
    if name in answer.validation and not _is_refitted(context):
        return math.isclose(answer.validation[name], _finite(execution.score), rel_tol=1e-5, abs_tol=1e-7)
    # A metric of the user's own code cannot be computed from the file; then all others must agree.
    same = [math.isclose(answer.validation[n], exported.validation[n], rel_tol=1e-5) for n in answer.validation]
    return bool(same) and all(same)


def _card(context: _Context, trial: Trial, execution: Execution, exported: ModelExported, verified: bool) -> ModelCard:
    search = context.document.search
    states = [other.state for other in context.trials]
    order = [other.number for other in ranked(context.trials, search.objective.direction)]
    versions = context.exporter.wait_ready().versions
    return ModelCard(
        study=context.document.name,
        trial=trial.number,
        file=exported.file,
        saved_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        objective=search.objective,
        score=_finite(trial.score),
        standard_error=trial.standard_error,
        saved_score=_saved_score(context, trial, execution),
        refitted=_is_refitted(context),
        verified=verified,
        executions=tuple(
            ExecutionCard(
                seed=e.seed,
                score=_finite(e.score),
                best_epoch=e.best_epoch,
                epochs=e.epochs,
                saved=e is execution and not _is_refitted(context),
            )
            for e in trial.executions
        ),
        # A refitted model has seen the validation rows: figures on them would flatter it.
        validation={} if _is_refitted(context) else exported.validation,
        test=exported.test,
        values=trial.values,
        parameters=exported.parameters,
        duration_s=trial.duration_s,
        data=_data_card(context.data),
        search=SearchCard(
            algorithm=search.algorithm.id,
            seed=search.seed,
            trials=len(states),
            completed=states.count(TrialState.COMPLETED),
            failed=states.count(TrialState.FAILED),
            hyperparameters=len(context.space.hyperparameters),
            rank=order.index(trial.number) + 1,
        ),
        versions=versions,
        device=trial.device,
        summary=exported.summary,
        how_to_load=exported.how_to_load,
    )


def _data_card(data: PreparedData) -> DataCard:
    inputs = [plan.name if plan.kind == "array" else column for plan in data.inputs for column in _columns(plan)]
    return DataCard(
        source=data.source,
        fingerprint=data.fingerprint,
        task=data.target.task,
        target=data.target.columns,
        inputs=tuple(inputs),
        classes=data.target.classes,
        rows=data.parts,
    )


def _columns(plan: object) -> tuple[str, ...]:
    return getattr(plan, "columns", ("",))


def _finite(value: float | None) -> float:
    """Completed trials and executions have scores; this says so to the type checker."""
    return math.nan if value is None else value
