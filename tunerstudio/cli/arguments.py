"""The commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tunerstudio.cli import commands, exporting, plugins, running
from tunerstudio.cli.control_arguments import add_control
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.version import VERSION

if TYPE_CHECKING:
    from tunerstudio.cli.output import Output

Run = Callable[[argparse.Namespace, "Output"], int]


class UsageError(TunerStudioError):
    """Words that are no command; `usage` says what would be one."""

    def __init__(self, message: str, usage: str = "") -> None:
        """Keep `usage` beside the sentence."""
        self.usage = usage
        super().__init__(message)


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of leaving the program; knows the names of its commands."""

    commands: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        """Raise `message`."""
        raise UsageError(message, self.format_usage())


def _from(minimum: int) -> Callable[[str], int]:
    """What reads a whole number from `minimum`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            raise argparse.ArgumentTypeError(f"a whole number from {minimum} is needed, not {text!r}")
        return number

    return read


def build_parser() -> Parser:
    """All commands."""
    parser = Parser(prog="tunerstudio", description="Find the best Keras model on your own workstation.")
    parser.add_argument("--version", action="version", version=f"Tuner Studio {VERSION}")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    _add_open(group)
    _add_new(group)
    _add_check(group)
    _add_run(group)
    _add_results(group)
    _add_save(group)
    _add_export(group)
    add_control(partial(_study_command, group), _from(1))
    _add_plugin(group)
    for name, text, run in (
        ("algorithms", "list the search algorithms and their options", commands.algorithms),
        ("examples", "list the bundled examples", commands.examples),
    ):
        _command(group, name, text, run)
    parser.commands = tuple(group.choices)
    return parser


_Group = "argparse._SubParsersAction[Parser]"


def _command(group: _Group, name: str, text: str, run: Run, json: bool = True) -> Parser:  # type: ignore[valid-type]
    command: Parser = group.add_parser(name, help=text, description=text)  # type: ignore[attr-defined]
    command.set_defaults(run=run)
    if json:
        command.add_argument("--json", action="store_true", help="print one JSON object for machines")
    return command


def _study(command: Parser) -> None:
    command.add_argument("study", metavar="STUDY", type=Path, help="the study's folder")


def _study_command(group: _Group, name: str, text: str, run: Run) -> Parser:  # type: ignore[valid-type]
    command = _command(group, name, text, run)
    _study(command)
    return command


def _trust(command: Parser) -> None:
    command.add_argument("--trust", action="store_true", help="trust the Python code that the study holds, from now on")


def _add_open(group: _Group) -> None:  # type: ignore[valid-type]
    command = _command(group, "open", "open the window (the default command)", commands.open_window, json=False)
    command.add_argument("study", metavar="STUDY", type=Path, nargs="?", help="a study to open")


def _add_new(group: _Group) -> None:  # type: ignore[valid-type]
    command = _command(group, "new", "make a study from a data file or an example", commands.new)
    _study(command)
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", metavar="FILE", help="CSV, Parquet, Excel or NPZ file")
    source.add_argument("--bundled", metavar="NAME", help="a data set that comes with scikit-learn")
    source.add_argument("--example", metavar="NAME", help="a bundled example; see `tunerstudio examples`")
    command.add_argument("--target", metavar="NAME", action="append", help="column to predict; default: detected")
    command.add_argument("--past", metavar="N", type=_from(2), help="a series: predict each row from N rows before it")
    command.add_argument("--horizon", metavar="N", type=_from(0), help="a series: look N rows ahead (default: 1)")
    command.add_argument("--autoencoder", action="store_true", help="predict the features themselves")
    model = command.add_mutually_exclusive_group()
    model.add_argument("--template", metavar="NAME", help="where to start from; default: chosen by the data")
    model.add_argument("--code", metavar="FILE.py", type=Path, help="a Python file with build(hp) or a HyperModel")
    command.add_argument("--trials", metavar="N", type=_from(1), help="budget of trials")
    command.add_argument("--algorithm", metavar="ID", help="search algorithm; see `tunerstudio algorithms`")


def _add_check(group: _Group) -> None:  # type: ignore[valid-type]
    for name, text, run in (
        ("check", "say what is wrong with a study, before it runs", running.check),
        ("space", "print the search space", running.space),
    ):
        command = _command(group, name, text, run)
        _study(command)
        _trust(command)
        if name == "check":
            text = "look at the whole search space instead, without training: what cannot be built, sizes, time"
            command.add_argument("--space", action="store_true", help=text)


def _add_run(group: _Group) -> None:  # type: ignore[valid-type]
    command = _command(group, "run", "run the search; goes on where an earlier run stopped", running.run)
    _study(command)
    command.add_argument(
        "--trials", metavar="N", type=_from(1), help="run until N trials are completed, past the budget too"
    )
    command.add_argument(
        "--background", action="store_true", help="return at once; the search goes on without this terminal"
    )
    _trust(command)


def _add_results(group: _Group) -> None:  # type: ignore[valid-type]
    command = _command(group, "results", "list the trials, best first", commands.results)
    _study(command)
    command.add_argument(
        "--top", metavar="N", type=_from(0), help="how many; 0: all (default: 10 in a table, all with --json)"
    )


def _add_save(group: _Group) -> None:  # type: ignore[valid-type]
    command = _command(group, "save", "save the best models", running.save)
    _study(command)
    command.add_argument("--top", metavar="N", type=_from(1), default=3, help="how many (default 3)")
    command.add_argument("--to", metavar="FOLDER", type=Path, help="where (default: the study's models folder)")
    _trust(command)


def _add_export(group: _Group) -> None:  # type: ignore[valid-type]
    command = _command(group, "export", "write the study as Python that runs without this program", exporting.export)
    _study(command)
    command.add_argument(
        "--as",
        dest="kind",
        required=True,
        choices=("hypermodel", "script", "notebook"),
        help="hypermodel: a search for plain Keras Tuner; script: training of one trial; notebook: one of the two",
    )
    command.add_argument("--trial", metavar="N", type=_from(1), help="of which trial (script: default the best)")
    command.add_argument("--to", metavar="FILE", type=Path, help="where (default: in this folder, named by the study)")


def _add_plugin(group: _Group) -> None:  # type: ignore[valid-type]
    text = "make, check, install and switch plugins: search algorithms and pruners"
    parent: Parser = group.add_parser("plugin", help=text, description=text)  # type: ignore[attr-defined]
    actions = parent.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)
    plugins.add_commands(lambda name, text, run: _command(actions, name, text, run))
