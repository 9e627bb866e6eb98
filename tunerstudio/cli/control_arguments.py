"""The options of the commands that talk to a search: watch, status, pause, resume, stop, enqueue and their like."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from tunerstudio.cli import control, watching

if TYPE_CHECKING:
    from tunerstudio.cli.output import Output

Run = Callable[[argparse.Namespace, "Output"], int]
Make = Callable[[str, str, Run], argparse.ArgumentParser]
"""Makes the parser of one command from its name, its sentence and what does it; it takes a STUDY already."""


def add_control(make: Make, number: Callable[[str], int]) -> None:
    """Add all of them; `number` reads a whole number from 1."""
    watch = make("watch", "show the progress of a running search; Ctrl+C ends watching only", watching.watch)
    watch.add_argument("--follow", action="store_true", help="wait for a search to start, if none runs")
    make("status", "say where a search stands and who runs it", watching.status)
    _add_verbs(make, number)
    _add_trial_verbs(make, number)
    _add_limits(make, number)
    make("repair", "mend a study whose history is damaged or gone, with all that can be read of it", control.repair)


def _add_verbs(make: Make, number: Callable[[str], int]) -> None:
    pause = make("pause", "pause the search, or one trial, after its epoch", control.pause)
    pause.add_argument("trial", metavar="TRIAL", type=number, nargs="?", help="number of the trial")
    resume = make("resume", "go on with a paused search, or one trial", control.resume)
    resume.add_argument("trial", metavar="TRIAL", type=number, nargs="?", help="number of the trial")
    stop = make("stop", "end the search after the running epochs, or one trial, which keeps its score", control.stop)
    stop.add_argument("trial", metavar="TRIAL", type=number, nargs="?", help="number of the trial")
    stop.add_argument("--now", action="store_true", help="end the search at once")
    stop.add_argument("--kill", action="store_true", help="end a program that does not answer, by force")
    stop.add_argument("--no-wait", action="store_true", help="do not wait for the search to end")


def _add_trial_verbs(make: Make, number: Callable[[str], int]) -> None:
    enqueue = make("enqueue", "queue a trial of your own values; others take their defaults", control.enqueue)
    enqueue.add_argument("values", metavar="NAME=VALUE", nargs="*", help="value of a hyperparameter")
    enqueue.add_argument("--like", metavar="TRIAL", type=number, help="begin with the values of this trial")
    enqueue.add_argument("--note", metavar="TEXT", default="", help="your own words on it")
    for name, text, run in (
        ("retry", "queue a failed or cancelled trial again", control.retry),
        ("skip", "end a trial now without a score", control.skip),
        ("note", "write your own words on a trial", control.note),
    ):
        command = make(name, text, run)
        command.add_argument("trial", metavar="TRIAL", type=number, help="number of the trial")
        if name == "note":
            command.add_argument("text", metavar="TEXT", help="the words; empty: none")


def _add_limits(make: Make, number: Callable[[str], int]) -> None:
    workers = make("workers", "train so many trials side by side, also while the search runs", control.workers)
    workers.add_argument("workers", metavar="N", help="1 to 64, or auto: as many as suit the machine")
    budget = make("budget", "change when the search ends, also while it runs", control.budget)
    budget.add_argument("--trials", metavar="N", help="completed, pruned and failed trials together")
    budget.add_argument("--time-limit", metavar="MINUTES", help="of training, pauses left out; none: no limit")
    budget.add_argument("--finish-by", metavar="TIME", help="07:00 or 2026-05-30T07:00; none: no such time")
    budget.add_argument("--plateau", metavar="TRIALS", help="trials without improvement that end it; none: never")
    budget.add_argument("--target", metavar="SCORE", help="a score that ends it; none: never")
