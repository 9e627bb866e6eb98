"""What `tunerstudio check --space` says of the whole search space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tunerstudio.cli.output import Output, duration_text
from tunerstudio.engine.engine import Engine
from tunerstudio.protocol.space import SpaceProblem, SpaceReport


def check_whole_space(folder: Path, output: Output) -> int:
    """Look at the whole space of the study in `folder` without training, and say what was found."""
    with Engine() as engine:
        report = engine.check_space(folder, output.note)
    output.result(report.model_dump(mode="json"))
    for line in report_lines(report):
        output.say(line)
    return 0


def report_lines(report: SpaceReport) -> Iterator[str]:
    """What a report says, for people."""
    failing = sum(one.problem is not None for one in report.configurations)
    yield f"{failing or 'None'} of {report.done} configurations that were checked cannot be built."
    for problem in report.problems:
        yield from _problem_lines(problem)
    sizes = [one.parameters for one in report.configurations if one.parameters is not None]
    if sizes:
        yield f"The networks have {min(sizes):,} to {max(sizes):,} parameters."
    forecast = report.forecast
    if forecast is not None:
        low, high = duration_text(forecast.low_s), duration_text(forecast.high_s)
        yield f"{forecast.trials} trials take {low} to {high} on this machine."


def _problem_lines(problem: SpaceProblem) -> Iterator[str]:
    where = f"{problem.layer}: " if problem.layer and problem.layer not in problem.reason else ""
    yield f"  {problem.share:.0%} fail: {where}{problem.reason}"
    if problem.repair:
        yield f"    {problem.repair}"
    for narrowing in problem.narrowings:
        constraint = f" (constraint: {narrowing.constraint})" if narrowing.constraint else ""
        yield f"    {narrowing.sentence}{constraint}"
