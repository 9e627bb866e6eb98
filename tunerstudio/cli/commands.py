"""Commands that need no engine: open, new, results, algorithms, examples."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from shlex import quote

from tunerstudio.algorithms import discovery
from tunerstudio.cli.front import front_json, front_of, print_front
from tunerstudio.cli.output import Output, duration_text, number, score_text
from tunerstudio.protocol.preview import Finding, Preview
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.store.schema import refuse_lost_history
from tunerstudio.study.data import Data, FileSource, Window
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.examples import find_example, find_examples
from tunerstudio.study.files import DOCUMENT_FILE, load_document, parse_document, plain, save_document
from tunerstudio.study.model import CodeModel
from tunerstudio.study.templates import new_document
from tunerstudio.study.trials import Trial, TrialState, ranked
from tunerstudio.study.trust import trust

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def open_window(options: argparse.Namespace, output: Output) -> int:
    """Open the window, on a study if one is named."""
    if options.study is not None:
        load_document(options.study)
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
        message = "there is no display to open a window on; the other commands work without one (tunerstudio --help)"
        raise StudyError([Problem("", message)])
    # Imported here: the other commands work where Qt's system libraries are missing.
    try:
        from tunerstudio.gui.app import run_app
    except ImportError as error:
        message = (
            f"the window cannot open, because a library of Qt is missing ({error}); `python3 start.py` installs it"
        )
        raise StudyError([Problem("", message)]) from error
    return run_app(options.study)


def new(options: argparse.Namespace, output: Output) -> int:
    """Make a study."""
    folder: Path = options.study
    _check_new(options, folder)
    found: list[Finding] = []
    if options.example is not None:
        document = find_example(options.example).document()
    else:
        document, found = _from_data(options, folder, output)
    document = _adjusted(document, options, folder)
    save_document(document, folder)
    if isinstance(document.model, CodeModel):
        trust(folder)  # the person named the file in this very command
    output.say(f"The study is in {folder}. Next: tunerstudio run {quote(str(folder))}")
    findings = [{"severity": f.severity, "message": f.message} for f in found]
    output.result({"study": str(folder), "document": plain(document), "findings": findings})
    return 0


def _check_new(options: argparse.Namespace, folder: Path) -> None:
    """What can be said against a new study before its data are looked at."""
    problems = []
    if (folder / DOCUMENT_FILE).exists():
        problems.append(Problem("", f"{folder} holds a study already: take another folder"))
    elif folder.exists() and not folder.is_dir():
        problems.append(Problem("", f"{folder} is a file: take another name for the study's folder"))
    if options.example is not None:
        own = ("target", "template", "code", "past", "horizon", "autoencoder")
        given = [name for name in own if getattr(options, name) not in (None, False)]
        problems += [Problem(f"--{name}", "an example brings its own: leave it away") for name in given]
    if options.algorithm is not None:
        discovery.get(options.algorithm)
    if problems:
        raise StudyError(problems)


def _from_data(options: argparse.Namespace, folder: Path, output: Output) -> tuple[StudyDocument, list[Finding]]:
    """The study that suits the data, and what is worth knowing about them; StudyError if nothing can be learned."""
    from tunerstudio.data.inspect import inspect  # pandas; only here

    data = _source(options, folder)
    preview = inspect(data, folder)
    if options.target:
        preview = inspect(_with_targets(preview.data, options.target), folder)
    if options.autoencoder:
        preview = inspect(preview.data.to_reconstruct(), folder)
    if options.past is not None or options.horizon is not None:
        preview = inspect(_as_series(preview.data, options.past, options.horizon), folder)
    wrong = [finding for finding in preview.findings if finding.severity == "error"]
    if wrong:
        raise StudyError([Problem("data", finding.message) for finding in wrong])
    _print_preview(preview, output)
    document = new_document(folder.resolve().name[:200] or "study", preview.data, options.template)
    return document, list(preview.findings)


def _source(options: argparse.Namespace, folder: Path) -> Data:
    if options.bundled is not None:
        content = {"name": "new", "data": {"source": {"kind": "bundled", "name": options.bundled}}}
        return parse_document(content).data
    path, inside = Path(options.data).resolve(), folder.resolve()
    # A file in the study's own folder moves with it.
    return Data(source=FileSource(path=path.relative_to(inside).as_posix() if inside in path.parents else str(path)))


def _as_series(data: Data, past: int | None, horizon: int | None) -> Data:
    """Rows predicted from the rows before them, divided in their order."""
    usual = Window()
    window = Window(past=usual.past if past is None else past, horizon=usual.horizon if horizon is None else horizon)
    split = data.split.model_copy(update={"method": "ordered"})
    return data.model_copy(update={"window": window, "split": split})


def _with_targets(data: Data, targets: list[str]) -> Data:
    names = [column.name for column in data.columns]
    missing = [target for target in targets if target not in names]
    if missing:
        listed = ", ".join(names[:20])
        raise StudyError([Problem("data.columns", f"there is no column {missing[0]!r} to predict; there are {listed}")])
    columns = tuple(
        column.model_copy(update={"role": "target"})
        if column.name in targets
        else column.model_copy(update={"role": "feature"})
        if column.role == "target"
        else column
        for column in data.columns
    )
    return data.model_copy(update={"columns": columns, "task": None})


def _print_preview(preview: Preview, output: Output) -> None:
    output.say(f"{preview.title}: {preview.summary}")
    named = preview.data.named_with_role("target")
    targets = "the features themselves" if preview.data.reconstruct else ", ".join(named)
    classes = ", ".join(f"{name} ({count})" for name, count in preview.classes[:12])
    output.say(f"Predict {targets} ({preview.data.task})" + (f": {classes}" if classes else ""))
    ignored = preview.data.named_with_role("ignore")
    if ignored:
        output.say(f"Ignored: {', '.join(ignored)}")
    for finding in preview.findings:
        output.say(f"  {'i' if finding.severity == 'info' else '!'} {finding.message}")


def _adjusted(document: StudyDocument, options: argparse.Namespace, folder: Path) -> StudyDocument:
    search = document.search
    if options.trials is not None:
        content = {**plain(search), "budget": {**plain(search.budget), "trials": options.trials}}
        search = parse_document({**plain(document), "search": content}).search
    if options.algorithm is not None:
        algorithm = search.algorithm.model_copy(update={"id": options.algorithm, "options": {}})
        search = search.model_copy(update={"algorithm": algorithm})
    document = document.model_copy(update={"search": search})
    if options.code is not None:
        document = document.model_copy(update={"model": _own_code(options.code, folder)})
    return document


def _own_code(file: Path, folder: Path) -> CodeModel:
    """The user's file, copied into the study: a study is whole in its folder."""
    if not file.is_file():
        raise StudyError([Problem("model.file", f"{file} is not a file")])
    copy = folder / file.name
    if copy.exists() and not copy.samefile(file):
        message = f"{copy} is there already and is another file: rename one of the two"
        raise StudyError([Problem("model.file", message)])
    if not copy.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return CodeModel(file=copy.name)


def results(options: argparse.Namespace, output: Output) -> int:
    """List the trials, best first."""
    document = load_document(options.study)
    trials = stored_trials(options.study)
    best_first = ranked(trials, document.search.objective.direction)
    # A table is for a look; a machine that names no number wants all.
    top = (0 if output.json_wanted else 10) if options.top is None else options.top
    shown = best_first[:top] if top else best_first
    front = front_of(document, trials)
    output.result(
        {
            "study": str(options.study),
            "name": document.name,
            "objective": plain_objective(document),
            "trials": [trial_json(trial) for trial in shown],
            **({} if front is None else {"front": front_json(front)}),
        }
    )
    _print_results(document, trials, shown, output)
    if front is not None and shown:
        print_front(front, output)
    return 0


def stored_trials(folder: Path) -> list[Trial]:
    """All trials of the study in `folder`; none before its first run. StoreError if their database is lost."""
    if not has_history(folder):
        refuse_lost_history(folder)
        return []
    with StudyReader(folder) as reader:
        return reader.trials()


def plain_objective(document: StudyDocument) -> dict[str, str]:
    """Name and direction of the objective."""
    objective = document.search.objective
    return {"name": objective.name, "direction": objective.direction}


def trial_json(trial: Trial) -> dict[str, object]:
    """A trial for machines."""
    return {
        "number": trial.number,
        "state": trial.state.value,
        "score": trial.score,
        "standard_error": trial.standard_error,
        "executions": [execution.score for execution in trial.executions],
        "epochs": trial.epochs,
        "duration_s": trial.duration_s,
        "values": trial.values,
        "message": trial.message,
        "parameters": trial.parameters,
        "measures": trial.measures,
        "origin": trial.origin,
        "road": trial.road,
        "device": trial.device,
        "reason": trial.reason,
    }


def _print_results(document: StudyDocument, trials: list[Trial], shown: list[Trial], output: Output) -> None:
    counts = {state: sum(1 for trial in trials if trial.state is state) for state in TrialState}
    said = ", ".join(f"{count} {state.value.lower()}" for state, count in counts.items() if count)
    output.say(f"{document.name}: {said or 'no trials yet'}")
    if not shown:
        output.say("Run the search to get results.")
        return
    names = sorted({name for trial in shown for name in trial.values})
    objective = document.search.objective
    headings = ["rank", "trial", f"{objective.name} ({objective.direction})", "epochs", "time", "parameters", *names]
    rows = [_result_row(rank, trial, names) for rank, trial in enumerate(shown, start=1)]
    output.table(headings, rows, right=["rank", "trial", headings[2], "epochs", "time", "parameters"])
    best = shown[0]
    if best.reason and best.state is TrialState.COMPLETED:
        output.say(f"Why trial {best.number} was tried: {best.reason}")


def _result_row(rank: int, trial: Trial, names: list[str]) -> list[object]:
    done = trial.state is TrialState.COMPLETED
    score = score_text(trial.score, trial.standard_error, len(trial.executions)) if done else _state_text(trial)
    parameters = "–" if trial.parameters is None else f"{trial.parameters:,}"
    values = [_value_text(trial.values.get(name)) for name in names]
    return [
        rank if done else "–",
        trial.number,
        score,
        trial.epochs if trial.state.is_finished else "–",
        duration_text(trial.duration_s) if trial.state.is_finished else "–",
        parameters,
        *values,
    ]


def _state_text(trial: Trial) -> str:
    """The state of a trial that has no place in the ranking, and the score that it had got to."""
    return trial.state.value if trial.score is None else f"{number(trial.score)} {trial.state.value}"


def _value_text(value: object) -> str:
    if value is None:
        return "–"
    return number(value) if isinstance(value, float) else str(value)


def algorithms(options: argparse.Namespace, output: Output) -> int:
    """List the search algorithms."""
    found = discovery.find_algorithms()
    output.result(
        [
            {
                "id": info.id,
                "name": info.name,
                "origin": info.origin,
                "description": info.manifest.description if info.manifest else "",
                "options": [option.name for option in info.manifest.options] if info.manifest else [],
                "problems": list(info.problems),
            }
            for info in found
        ]
    )
    for info in found:
        output.say(f"{info.id}: {info.name}" + ("" if info.usable else "  (cannot be used)"))
        if info.manifest is not None:
            output.say(f"    {info.manifest.description}")
            for option in info.manifest.options:
                output.say(f"    - {option.name} (default {option.default}): {option.help}")
        for problem in info.problems:
            output.say(f"    ! {problem}")
    return 0


def examples(options: argparse.Namespace, output: Output) -> int:
    """List the bundled examples."""
    found = find_examples()
    output.result([{"name": e.name, "title": e.title, "sentence": e.sentence, "duration": e.duration} for e in found])
    output.table(["name", "title", "takes", ""], [(e.name, e.title, e.duration, e.sentence) for e in found])
    return 0
