"""Where the boxes of a network stand: columns by the longest way from the input, rows by branch."""

from __future__ import annotations

from dataclasses import dataclass

from tunerstudio.study.network import INPUT, Network


@dataclass(frozen=True)
class Place:
    """A box of the drawing.

    Attributes:
        name: Unique name of the layer, `INPUT` or `OUTPUT`.
        column, row: From 0; a row is a branch.
        inputs: Names of the boxes that lines come from.
    """

    name: str
    column: int
    row: int
    inputs: tuple[str, ...] = ()


OUTPUT = "\0output"


def places(network: Network) -> list[Place]:
    """Every box of `network`, input first and output last."""
    columns = {INPUT: 0}
    for layer in network.layers:
        columns[layer.name] = 1 + max(columns[name] for name in layer.inputs)
    rows = _rows(network)
    found = [Place(INPUT, 0, 0)]
    found += [Place(layer.name, columns[layer.name], rows[layer.name], layer.inputs) for layer in network.layers]
    end = 1 + max(columns.values())
    return [*found, Place(OUTPUT, end, rows.get(network.output, 0), (network.output,))]


def _rows(network: Network) -> dict[str, int]:
    """The branch of each layer: it keeps its input's, unless another layer of the same input has taken that before.

    A merge goes back to the row of its first input, where a skip connection or the first branch runs.
    """
    rows = {INPUT: 0}
    taken: dict[str, int] = {}
    highest = 0
    for layer in network.layers:
        if len(layer.inputs) > 1:
            rows[layer.name] = min(rows[name] for name in layer.inputs)
            continue
        source = layer.inputs[0]
        branch = taken.get(source, 0)
        taken[source] = branch + 1
        if branch == 0:
            rows[layer.name] = rows[source]
        else:
            highest += 1
            rows[layer.name] = highest
    return rows
