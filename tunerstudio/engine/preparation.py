"""From a study folder to a session that can start: everything that can be wrong is found here, before trial 1."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from tunerstudio.algorithms import discovery
from tunerstudio.algorithms.manifest import Manifest
from tunerstudio.algorithms.pruning_choice import NO_PRUNING, pruning_problems
from tunerstudio.engine.executors.base import TrialWorker
from tunerstudio.protocol.worker import ModelProbed, OpenStudy, ProbeModel, StudyOpened
from tunerstudio.study.constraints import constraint_problems
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import DataError, ModelError, Problem, StudyError, TunerStudioError, suggest
from tunerstudio.study.files import load_document, plain
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.measures import MEASURES
from tunerstudio.study.model import CodeModel, EstimatorModel
from tunerstudio.study.network import search_space
from tunerstudio.study.preprocessing import PreparedData
from tunerstudio.study.search import KNOWN_DIRECTIONS, Search
from tunerstudio.study.trust import is_trusted

Say = Callable[[str], None]
"""Takes a sentence on what is going on."""


@dataclass(frozen=True)
class PreparedStudy:
    """A study that was read and checked.

    Attributes:
        folder: The study folder.
        document: The document at that moment.
        data: What the data room made of the data.
        manifest: Of the search algorithm.
        options: Of the search algorithm, complete.
        space: All hyperparameters.
        key: Tells whether a worker has this very study open, see `study_key`.
        probe: What one batch of training showed; None if the study was probed before and has not changed since.
        warnings: Sentences on what is legal but perhaps not meant.
    """

    folder: Path
    document: StudyDocument
    data: PreparedData
    manifest: Manifest
    options: dict[str, JsonValue]
    space: SearchSpace
    key: str
    probe: ModelProbed | None
    warnings: list[str] = field(default_factory=list)


def read_study(folder: Path) -> StudyDocument:
    """The document of the study in `folder`, refused if it holds code that is not trusted."""
    document = load_document(folder)
    refuse_strangers_code(folder, document)
    return document


def refuse_strangers_code(folder: Path, document: StudyDocument) -> None:
    """StudyError if running `document` would run code that the user has not trusted."""
    if not is_trusted(folder, document):
        message = (
            "this study runs Python code of its own. Read the file first; if you trust where it comes from, "
            "trust the study (in the window: Trust; in the terminal: --trust)"
        )
        raise StudyError([Problem("model.file", message)])


def prepare_study(
    folder: Path,
    worker: Callable[[], TrialWorker],
    say: Say,
    probe: bool = True,
    earlier: PreparedStudy | None = None,
) -> PreparedStudy:
    """Read, prepare and check the study in `folder`.

    Args:
        folder: The study folder.
        worker: Gives the worker that builds the model; not asked before document and data are found good, for it
            may have to start. It has the study open afterwards.
        say: Told what is going on.
        probe: Whether to train one batch, to see that the model builds and the objective is logged.
        earlier: What a preparation gave before; its space and its probe hold as long as nothing that they follow from
            has changed and the worker still has the study open.

    Raises:
        StudyError: With all problems of the document that were found.
        DataError: If the data cannot be used.
        ModelError: If the model cannot be built or trained.
        TunerStudioError: Anything else that a person can mend.
    """
    document = read_study(folder)
    problems: list[Problem] = []
    try:
        manifest, options = _algorithm(document, problems)
    except StudyError as error:
        problems.extend(error.problems)
    try:
        search_space(document)
    except StudyError as error:
        problems.extend(error.problems)
    _check_direction(document, problems)
    problems.extend(_pruning(document))
    if problems:
        raise StudyError(problems)
    say("reading the data")
    data = prepare_data(document, folder)
    key = study_key(folder, document, data)
    probed = None
    if earlier is not None and earlier.key == key == worker().study_key:
        # Budget, algorithm and whatever else only the session reads may be others by now.
        space, probed = earlier.space, earlier.probe
    else:
        say("building the model")
        space = open_in_worker(worker(), folder, document, data_folder(folder), key)
    if not space.hyperparameters:
        raise StudyError([Problem("model", "nothing may vary: make at least one field tunable, or there is no search")])
    wrong = discovery.check_space(manifest, space)
    wrong += constraint_problems(document.search.constraints, space.names())
    if wrong:
        raise StudyError(wrong)
    if probe and probed is None:
        probed = _probe(worker(), document)
    warnings = _warnings(document, space, probed) + _objective_warnings(document, manifest)
    return PreparedStudy(folder, document, data, manifest, options, space, key, probed, warnings)


def prepare_data(document: StudyDocument, folder: Path, to: Path | None = None) -> PreparedData:
    """The prepared data of the study in the folder `to` (None: the usual one); made only if they are not there yet."""
    # Imported here: pandas takes most of a second, and a finished preparation does not need it.
    from tunerstudio.data.prepare import prepare

    try:
        return prepare(document.data, folder, to or data_folder(folder))
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"the data cannot be prepared in {folder}: {error}") from error


def data_folder(folder: Path) -> Path:
    """Where the prepared arrays of the study in `folder` lie."""
    return folder / "cache" / "data"


def open_in_worker(worker: TrialWorker, folder: Path, document: StudyDocument, data: Path, key: str) -> SearchSpace:
    """Let `worker` load the prepared data in `data` and the model; the search space, a code model's own included.

    `key` is what `worker.study_key` will be.
    """
    answer = worker.ask(OpenStudy(document=document, folder=str(folder.resolve()), data_folder=str(data.resolve())))
    if not isinstance(answer, StudyOpened):
        raise TunerStudioError(f"the worker answered {answer.type} to OpenStudy")
    worker.study_key = key
    return search_space(document, answer.space)


def study_key(folder: Path, document: StudyDocument, data: PreparedData) -> str:
    """Equal for the same study with the same document, data and code; tells whether a worker has it open."""
    # What only the session reads may change under a worker that has the study open.
    own = document.search
    search = Search(objective=own.objective, also=own.also, constraints=own.constraints, seed=own.seed)
    seen = document.model_copy(update={"search": search}).model_dump_json()
    parts = (str(folder.resolve()), seen, data.fingerprint, code_text(folder, document) or "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def code_text(folder: Path, document: StudyDocument) -> str | None:
    """The user's file of a code model as it is now; None for other models, and if there is no readable file."""
    if not isinstance(document.model, CodeModel):
        return None
    try:
        return (folder / document.model.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # the worker says what is wrong with it


def probe_key(study: PreparedStudy) -> str:
    """Equal as long as nothing that a probe depends on has changed."""
    document, data = study.document, study.data
    parts: dict[str, object] = {
        "model": plain(document.model),
        "training": plain(document.training),
        "data": data.fingerprint,
    }
    parts["objective"] = plain(document.search.objective)
    parts["columns"] = plain(document.data)
    parts["code"] = code_text(study.folder, document)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _algorithm(document: StudyDocument, problems: list[Problem]) -> tuple[Manifest, dict[str, JsonValue]]:
    choice = document.search.algorithm
    manifest = discovery.get(choice.id).manifest
    assert manifest is not None  # `get` refuses an algorithm without one
    options, wrong = discovery.check_options(manifest, choice.options)
    problems.extend(wrong)
    if isinstance(document.model, EstimatorModel) and "uses_epochs" in manifest.capabilities:
        message = f"{manifest.name} saves time by training fewer epochs, but an estimator has no epochs"
        problems.append(Problem("search.algorithm.id", f"{message}: choose another algorithm"))
    return manifest, dict(options)


def _pruning(document: StudyDocument) -> list[Problem]:
    """What is wrong with the way trials are to be ended early."""
    method = document.search.pruning.method
    if isinstance(document.model, EstimatorModel) and method != NO_PRUNING:
        message = "an estimator has no epochs after which it could be ended: set the method to none"
        return [Problem("search.pruning.method", message)]
    try:
        manifest = discovery.get(document.search.algorithm.id).manifest
    except StudyError:
        manifest = None  # said already
    return pruning_problems(document.search, manifest)


def _check_direction(document: StudyDocument, problems: list[Problem]) -> None:
    objective = document.search.objective
    known = KNOWN_DIRECTIONS.get(objective.name.removeprefix("val_"))
    if known is not None and known != objective.direction:
        words = {"max": "greater is better: use direction max", "min": "less is better: use direction min"}
        problems.append(Problem("search.objective.direction", f"for {objective.name}, {words[known]}"))


def _probe(worker: TrialWorker, document: StudyDocument) -> ModelProbed:
    answer = worker.ask(ProbeModel())
    if not isinstance(answer, ModelProbed):
        raise ModelError(f"the worker answered {answer.type} to ProbeModel")
    name = document.search.objective.name
    if name not in answer.metrics:
        listed = ", ".join(answer.metrics)
        message = f"this model does not report {name!r}; it reports {listed}.{suggest(name, answer.metrics)}"
        raise StudyError([Problem("search.objective.name", message)])
    is_estimator = isinstance(document.model, EstimatorModel)
    known = [*answer.metrics, *(("training_s",) if is_estimator else MEASURES)]
    unknown = [(index, second.name) for index, second in enumerate(document.search.also) if second.name not in known]
    if unknown:
        listed = ", ".join(known)
        raise StudyError(
            [
                Problem(
                    f"search.also.{index}.name", f"there is no {name!r} here; known are {listed}.{suggest(name, known)}"
                )
                for index, name in unknown
            ]
        )
    return answer


def _objective_warnings(document: StudyDocument, manifest: Manifest) -> list[str]:
    """What a study with several objectives may not mean."""
    if not document.search.also:
        return []
    first, found = document.search.objective.name, []
    if "multi_objective" not in manifest.capabilities:
        found.append(
            f"{manifest.name} looks for the best {first} alone; the other objectives are measured and shown. "
            "NSGA-II looks for all of them"
        )
    if document.search.pruning.method != NO_PRUNING:
        found.append(f"trials are ended early by their {first} alone, however good they are in the other objectives")
    return found


def _warnings(document: StudyDocument, space: SearchSpace, probe: ModelProbed | None) -> list[str]:
    found = []
    count = space.count()
    if count < document.search.budget.trials:
        found.append(
            f"the space has only {count:.0f} configurations, fewer than the {document.search.budget.trials} trials "
            "of the budget: the search ends when all have been tried"
        )
    if not document.search.objective.name.startswith("val_"):
        found.append(f"the objective {document.search.objective.name!r} is measured on the training data")
    if probe is not None and probe.road_reason:
        found.append(f"trained with Keras's own fit: {probe.road_reason}")
    return found
