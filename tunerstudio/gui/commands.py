"""Commands to a search in words: what was done, and what waits."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from tunerstudio.protocol import control
from tunerstudio.protocol.control import ControlCommand


def done_sentence(command: ControlCommand) -> str:
    """What happens now that `command` was taken."""
    if isinstance(command, control.StopSearch):
        return _tr("The search stops.")
    if isinstance(command, control.PauseSearch):
        return _tr("The search pauses after the running epochs.")
    if isinstance(command, control.ResumeSearch):
        return _tr("The search goes on.")
    if isinstance(command, control.SetWorkers):
        return _tr("Workers from now on: {n}.").format(n=command.workers)
    if isinstance(command, control.SetBudget):
        return _tr("The search has the new budget.")
    if isinstance(command, control.ReloadStudy):
        return _tr("The search goes on with the changed study.")
    if isinstance(command, control.EnqueueTrial):
        return _tr("The trial is queued; it comes before new proposals.")
    words = {
        "PauseTrial": _tr("Trial {n} pauses after its epoch."),
        "ResumeTrial": _tr("Trial {n} is queued again."),
        "StopTrialEarly": _tr("Trial {n} ends after its epoch and keeps its score."),
        "SkipTrial": _tr("Trial {n} is skipped."),
        "RetryTrial": _tr("Trial {n} is tried again as a new trial."),
        "SetNote": _tr("The note on trial {n} is written down."),
    }
    return words[command.type].format(n=command.trial)


def waiting_sentence(command: ControlCommand) -> str:
    """What to say while the program that runs the search has not taken `command` yet."""
    return _tr("The program that runs the search has not answered yet; what you asked for waits: {what}").format(
        what=done_sentence(command)
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Commands", text)
