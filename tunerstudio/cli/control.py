"""Commands to a search, whoever runs it: each waits for what became of it, and says so."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from tunerstudio.cli.killing import end_by_force
from tunerstudio.cli.output import Output
from tunerstudio.engine.edits import SPACE, carry_out
from tunerstudio.protocol import control as messages
from tunerstudio.protocol.control import ControlCommand
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.store.repair import repair as mend
from tunerstudio.study.errors import Problem, StudyError, TunerStudioError, suggest
from tunerstudio.study.files import load_document, parse_document, plain, save_document
from tunerstudio.study.hyperparameters import Boolean, Choice, Fixed, Float, Int, Scalar, SearchSpace, Values
from tunerstudio.study.machine import workers_for
from tunerstudio.study.model import CodeModel
from tunerstudio.study.network import search_space

ANSWER_LIMIT_S = 60.0
"""How long to wait for the program that runs the search to answer."""

_POLL_S = 0.05
_MOST_NAMES = 12
_NOTHING = {"none", "null", ""}


def pause(options: argparse.Namespace, output: Output) -> int:
    """Pause the search or one trial."""
    if options.trial is None:
        return _tell(options, output, messages.PauseSearch(), "The search pauses after the running epochs.")
    done = f"Trial {options.trial} pauses after its epoch."
    return _tell(options, output, messages.PauseTrial(trial=options.trial), done)


def resume(options: argparse.Namespace, output: Output) -> int:
    """Go on with a paused search or trial."""
    if options.trial is None:
        return _tell(options, output, messages.ResumeSearch(), "The search goes on.")
    return _tell(options, output, messages.ResumeTrial(trial=options.trial), f"Trial {options.trial} is queued again.")


def stop(options: argparse.Namespace, output: Output) -> int:
    """End the search, or one trial, which keeps its score."""
    if options.trial is not None:
        done = f"Trial {options.trial} ends after its epoch and keeps its score."
        return _tell(options, output, messages.StopTrialEarly(trial=options.trial), done)
    folder: Path = options.study
    load_document(folder)
    if not is_in_use(folder):
        output.say("No search runs on this study.")
        output.result({"outcome": "", "running": False})
        return 0
    if options.kill:
        pid = end_by_force(folder)
        output.say(f"Process {pid} was ended; run the search again to go on from its checkpoints.")
        output.result({"outcome": "", "running": False})
        return 0
    _answer(folder, messages.StopSearch(when="now" if options.now else "epoch"))
    output.note("stopping now" if options.now else "stopping after the running epochs")
    while not options.no_wait and is_in_use(folder):
        time.sleep(_POLL_S)
    output.say("The search is stopping." if options.no_wait else "The search has stopped; run it again to go on.")
    output.result({"outcome": "", "running": bool(options.no_wait)})
    return 0


def enqueue(options: argparse.Namespace, output: Output) -> int:
    """Queue a trial of the user's own values."""
    values = _values(options.study, options.values, options.like)
    command = messages.EnqueueTrial(values=values, note=options.note)
    return _tell(options, output, command, "The trial is queued; it comes before new proposals.")


def retry(options: argparse.Namespace, output: Output) -> int:
    """Queue a failed or cancelled trial again."""
    done = f"Trial {options.trial} is tried again as a new trial."
    return _tell(options, output, messages.RetryTrial(trial=options.trial), done)


def skip(options: argparse.Namespace, output: Output) -> int:
    """End a trial without a score."""
    return _tell(options, output, messages.SkipTrial(trial=options.trial), f"Trial {options.trial} is skipped.")


def note(options: argparse.Namespace, output: Output) -> int:
    """Write a note on a trial."""
    command = messages.SetNote(trial=options.trial, note=options.text)
    return _tell(options, output, command, f"The note on trial {options.trial} is written down.")


def workers(options: argparse.Namespace, output: Output) -> int:
    """Train so many trials side by side; written into the study, and told to a search that runs."""
    folder: Path = options.study
    document = load_document(folder)
    content = {**plain(document), "search": {**plain(document.search), "workers": options.workers}}
    document = parse_document(content)
    if is_in_use(folder):
        _answer(folder, messages.SetWorkers(workers=workers_for(document.search)))
    save_document(document, folder)
    output.say(f"Workers from now on: {workers_for(document.search)}.")
    output.result({"outcome": "", "workers": workers_for(document.search)})
    return 0


def budget(options: argparse.Namespace, output: Output) -> int:
    """Change when the search ends."""
    document = load_document(options.study)
    content = plain(document.search.budget)
    asked = {
        "trials": options.trials,
        "time_limit_s": options.time_limit,
        "finish_by": options.finish_by,
        "plateau": options.plateau,
        "target": options.target,
    }
    if all(text is None for text in asked.values()):
        output.say(f"The budget is: {_budget_text(document.search.budget)}.")
        output.result({"outcome": ""})
        return 0
    for field, text in asked.items():
        if text is not None:
            content[field] = _budget_value(field, text, content)
    search = {**plain(document.search), "budget": content}
    changed = parse_document({**plain(document), "search": search}).search.budget
    return _tell(options, output, messages.SetBudget(budget=changed), f"The budget is now: {_budget_text(changed)}.")


def repair(options: argparse.Namespace, output: Output) -> int:
    """Mend a study whose database is damaged, empty or gone."""
    load_document(options.study)
    found = mend(options.study)
    output.result(
        {
            "trials": found.trials,
            "epochs": found.epochs,
            "lost": list(found.lost),
            "kept": None if found.kept is None else str(found.kept),
            "was_whole": found.was_whole,
        }
    )
    if found.was_whole:
        output.say(
            f"Nothing is wrong with the history ({found.trials} trials, {found.epochs} epochs): it was left as it is."
        )
    elif found.trials:
        output.say(f"The study has a whole history again: {found.trials} trials, {found.epochs} epochs.")
    else:
        output.say("No trial of the history could be read: the search starts anew.")
    for sentence in found.lost:
        output.say(f"  {sentence}")
    if found.kept is not None:
        output.say(f"What was there before is kept as {found.kept}.")
    return 0


# -- inside -------------------------------------------------------------------------------------------------------


def _tell(options: argparse.Namespace, output: Output, command: ControlCommand, done: str) -> int:
    load_document(options.study)
    _answer(options.study, command)
    output.say(done)
    output.result({"outcome": ""})
    return 0


def _answer(folder: Path, command: ControlCommand) -> None:
    """Have `command` done and wait for it; TunerStudioError if it was refused or nobody answers."""
    carried = carry_out(folder, command)
    outcome = carried.outcome
    until = time.monotonic() + ANSWER_LIMIT_S
    while outcome is None:
        has_ended = not is_in_use(folder)
        outcome = _outcome(folder, carried.id)
        if outcome is None and has_ended:
            raise TunerStudioError(
                "the program that ran the search has ended without an answer; the command waits in the study's"
                " folder for the next search, unless it was to stop or pause this one"
            )
        if outcome is None and time.monotonic() > until:
            raise TunerStudioError(
                f"the program that runs the search has not answered within {ANSWER_LIMIT_S:g} s; the command waits"
                " in the study's folder and is done when it looks there. If it stands still, tunerstudio stop --kill"
                " ends it by force"
            )
        time.sleep(_POLL_S)
    if outcome:
        raise TunerStudioError(outcome)


def _outcome(folder: Path, identity: str) -> str | None:
    if not has_history(folder):
        return None  # the search is just starting
    with StudyReader(folder) as reader:
        return reader.command_outcome(identity)


def _values(folder: Path, words: list[str], like: int | None) -> Values:
    """What the user wrote as values of the study's hyperparameters."""
    space = _space(folder)
    values = _values_of(folder, like) if like is not None else {}
    problems = []
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            problems.append(Problem("", f"{word!r} is no value: write NAME=VALUE"))
        elif space is None:
            values[name] = _plain_value(text)
        elif name not in space.names():
            problems.append(Problem("", f"there is no hyperparameter {name!r}.{_names_meant(name, space)}"))
        else:
            values[name] = _value(space[name], text)
    if problems:
        raise StudyError(problems)
    return values


def _names_meant(name: str, space: SearchSpace) -> str:
    names = space.names()
    listed = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    return suggest(name, names) or f" There are {listed}"


def _space(folder: Path) -> SearchSpace | None:
    """The search space as far as it is known without running code; None if it is not."""
    document = load_document(folder)
    if not isinstance(document.model, CodeModel):
        return search_space(document)
    if not has_history(folder):
        return None
    with StudyReader(folder) as reader:
        stored = reader.meta(SPACE)
    return None if stored is None else SearchSpace.model_validate_json(stored)


def _values_of(folder: Path, number: int) -> Values:
    if has_history(folder):
        with StudyReader(folder) as reader:
            for trial in reader.trials():
                if trial.number == number:
                    return dict(trial.values)
    raise StudyError([Problem("--like", f"there is no trial {number}")])


def _value(hyperparameter: Int | Float | Choice | Boolean | Fixed, text: str) -> Scalar:
    """The value that `text` means; one that is none stays text, and is refused with the reason."""
    if isinstance(hyperparameter, Int | Float):
        found = _plain_value(text)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return float(found) if is_number and isinstance(hyperparameter, Float) else found
    for value in hyperparameter.values():
        if str(value).lower() == text.lower():
            return value
    return text


def _plain_value(text: str) -> Scalar:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _budget_value(field: str, text: str, content: dict[str, Any]) -> Any:
    if text.lower() in _NOTHING and field != "trials":
        return None
    if field == "finish_by":
        return text
    found = _plain_value(text)
    if field == "time_limit_s" and isinstance(found, int | float):
        return found * 60.0
    if field == "plateau":
        return {**(content.get("plateau") or {}), "trials": found}
    return found


def _budget_text(budget: Any) -> str:
    parts = [f"{budget.trials} trials"]
    if budget.time_limit_s is not None:
        parts.append(f"{budget.time_limit_s / 60:g} min of training")
    if budget.finish_by is not None:
        parts.append(f"until {budget.finish_by}")
    if budget.plateau is not None:
        parts.append(f"{budget.plateau.trials} trials without improvement")
    if budget.target is not None:
        parts.append(f"a score of {budget.target:g}")
    return ", ".join(parts)
