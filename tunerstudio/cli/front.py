"""The Pareto front of a study with several objectives, for people and machines."""

from __future__ import annotations

from collections.abc import Sequence

from tunerstudio.analysis.pareto import ParetoFront, pareto_front
from tunerstudio.cli.output import Output, number
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.trials import Trial


def front_of(document: StudyDocument, trials: Sequence[Trial]) -> ParetoFront | None:
    """The front; None if the study has one objective alone."""
    return pareto_front(trials, document.search) if document.search.also else None


def front_json(front: ParetoFront) -> dict[str, object]:
    """The front for machines: objectives, and the values of each trial on it, best first by the study's own."""
    return {
        "objectives": [
            {"name": name, "direction": direction}
            for name, direction in zip(front.names, front.directions, strict=True)
        ],
        "trials": [{"number": trial, "values": dict(_values(front, trial))} for trial in front.front()],
        "missing": list(front.missing),
    }


def print_front(front: ParetoFront, output: Output) -> None:
    """The front as a table."""
    output.say("")
    output.say("Pareto front: no trial is at least as good in everything and better in something")
    headings = [f"{name} ({direction})" for name, direction in zip(front.names, front.directions, strict=True)]
    rows = [[trial, *(number(value) for _, value in _values(front, trial))] for trial in front.front()]
    output.table(["trial", *headings], rows, right=["trial", *headings])
    if front.missing:
        listed = ", ".join(map(str, front.missing))
        output.note(f"Without a value for one of the objectives, and so not compared: trials {listed}")


def _values(front: ParetoFront, trial: int) -> list[tuple[str, float]]:
    row = front.numbers.tolist().index(trial)
    return [(name, float(value)) for name, value in zip(front.names, front.values[row], strict=True)]
