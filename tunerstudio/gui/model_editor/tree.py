"""Editing a tree of blocks: every operation returns new blocks, the old ones stay as they are.

A path names a row of the tree by the index in each list on the way to it: `(2,)` is the third block, `(2, 0)` the first
thing inside it. Inside a container that is a block, or a branch where the container has branches; `(2, 1, 0)` is then
the first block of the second branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from tunerstudio.study.containers import branches_of, mapped_lists
from tunerstudio.study.model import (
    Block,
    Branch,
    LayerBlock,
    OneOfBlock,
    OptionalBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.tunable import AnyTunable, TuneBoolean, TuneInt

_T = TypeVar("_T")

Blocks = tuple[Block, ...]
BlockPath = tuple[int, ...]
Row = Block | Branch
"""What a path can lead to."""

Branching = OneOfBlock | ParallelBlock


def children(row: Row) -> tuple[Row, ...]:
    """What stands directly inside: blocks, or the branches of a container that has some; nothing in a layer."""
    if isinstance(row, OneOfBlock | ParallelBlock):
        return branches_of(row)[1]
    return () if isinstance(row, LayerBlock) else row.blocks


def path_text(blocks: Sequence[Block], path: BlockPath) -> str:
    """The path as it stands in problems and names: `1.blocks.0`, or `2.one_of.1.blocks.0`."""
    words: list[str] = []
    rows: Sequence[Row] = blocks
    for depth, index in enumerate(path):
        words.append(str(index))
        if depth == len(path) - 1 or index >= len(rows):
            break
        row = rows[index]
        words.append(branches_of(row)[0] if isinstance(row, OneOfBlock | ParallelBlock) else "blocks")
        rows = children(row)
    return ".".join(words)


def row_at(blocks: Sequence[Row], path: BlockPath) -> Row | None:
    """The block or branch at `path`; None if there is none."""
    if not path or not 0 <= path[0] < len(blocks):
        return None
    row = blocks[path[0]]
    return row if len(path) == 1 else row_at(children(row), path[1:])


def block_at(blocks: Sequence[Row], path: BlockPath) -> Block | None:
    """The block at `path`; None if there is none, or a branch."""
    row = row_at(blocks, path)
    return None if isinstance(row, Branch) else row


def replaced(blocks: Blocks, path: BlockPath, row: Row) -> Blocks:
    """`row` in the place of the one at `path`."""
    return _changed(blocks, path, (row,), 1)


def inserted(blocks: Blocks, path: BlockPath, row: Row) -> Blocks:
    """`row` in front of what is at `path` now; an index past the end appends. Among branches it becomes a branch."""
    return _changed(blocks, path, (row,), 0)


def removed(blocks: Blocks, path: BlockPath) -> Blocks:
    """Without the row at `path`, and without a container that this leaves empty."""
    parent = row_at(blocks, path[:-1])
    if parent is not None and not isinstance(parent, Branch) and len(children(parent)) == 1:
        return removed(blocks, path[:-1])
    return _changed(blocks, path, (), 1)


def moved(blocks: Blocks, source: BlockPath, target: BlockPath) -> tuple[Blocks, BlockPath]:
    """The row at `source` in front of what is at `target` now.

    Returns:
        The blocks and where the row is now; both unchanged if it would go into itself or not move at all, or if it is
        a branch that would have to stand among blocks.
    """
    row = row_at(blocks, source)
    if row is None or target[: len(source)] == source or target == _next(source):
        return blocks, source
    if isinstance(row, Branch):
        container = row_at(blocks, target[:-1])
        if not isinstance(container, OneOfBlock | ParallelBlock):
            return blocks, source
        if source[:-1] != target[:-1]:
            taken = _names(children(container))
            row = row if row.name not in taken else row.model_copy(update={"name": _free_name(taken, row.name)})
    mark: Row = Branch(name=_MARK_NAME) if isinstance(row, Branch) else LayerBlock(layer=_MARK_NAME)
    marked = _changed(blocks, source, (mark,), 1)
    placed = inserted(marked, target, row)
    found = _find(placed, mark)
    assert found is not None
    result = removed(placed, found)
    arrived = _find(result, row)
    assert arrived is not None
    return result, arrived


def moved_by_one(blocks: Blocks, path: BlockPath, down: bool) -> tuple[Blocks, BlockPath]:
    """The row one place up or down as one reads the list: into a neighbouring container, and out at its ends."""
    parent, index = path[:-1], path[-1]
    siblings = _siblings(blocks, parent)
    neighbour = index + 1 if down else index - 1
    is_branch = isinstance(row_at(blocks, path), Branch)
    if 0 <= neighbour < len(siblings):
        beside = (*parent, neighbour)
        door = None if is_branch else _door(siblings[neighbour], beside, down)
        if door is not None:
            return moved(blocks, path, door)
        return moved(blocks, path, (*parent, neighbour + 1 if down else neighbour))
    if not parent or is_branch:
        return blocks, path
    if isinstance(row_at(blocks, parent), Branch):
        return moved(blocks, path, _out_of_branch(blocks, parent, down))
    return moved(blocks, path, _next(parent) if down else parent)


def duplicated(row: _T) -> _T:
    """A copy without the names that must be unique."""
    if isinstance(row, Branch):
        inside = tuple(duplicated(block) for block in row.blocks)
        return cast("_T", row.model_copy(update={"name": f"{row.name} copy", "blocks": inside}))
    block = cast("Block", row)
    copy = mapped_lists(block, lambda blocks: tuple(duplicated(inner) for inner in blocks))
    update: dict[str, Any] = {"name": None}
    for field in ("repeat", "optional", "residual", "chosen", "merge"):
        if hasattr(copy, field):
            update[field] = _unnamed(getattr(copy, field))
    if isinstance(copy, LayerBlock):
        update["arguments"] = {name: _unnamed(value) for name, value in copy.arguments.items()}
    return cast("_T", copy.model_copy(update=update))


def new_container(kind: str, inside: Blocks, other: Blocks = ()) -> Block:
    """A container around `inside`, with what varies set to vary.

    Args:
        kind: A key of `study.model.CONTAINERS`.
        inside: What it holds; the first branch of those that have branches.
        other: The second branch.
    """
    if kind == "repeat":
        return RepeatBlock(repeat=TuneInt(min=1, max=3, default=1), blocks=inside)
    if kind == "optional":
        return OptionalBlock(optional=TuneBoolean(default=True), blocks=inside)
    if kind == "residual":
        return ResidualBlock(residual=True, blocks=inside)
    branches = (Branch(name="a", blocks=inside), Branch(name="b", blocks=other))
    return OneOfBlock(one_of=branches) if kind == "one_of" else ParallelBlock(parallel=branches)


def wrapped(blocks: Blocks, path: BlockPath, kind: str = "repeat") -> Blocks:
    """The block at `path` inside a new container; see `new_container`."""
    block = block_at(blocks, path)
    return blocks if block is None else replaced(blocks, path, new_container(kind, (block,)))


def unwrapped(blocks: Blocks, path: BlockPath) -> Blocks:
    """What is inside the container (or branch) at `path` in its place; the branches one behind the other."""
    row = row_at(blocks, path)
    if row is None or isinstance(row, LayerBlock):
        return blocks
    if isinstance(row, Branch):
        return unwrapped(blocks, path[:-1])
    inside = [block for child in children(row) for block in (child.blocks if isinstance(child, Branch) else (child,))]
    return _changed(blocks, path, inside, 1)


def free_branch_name(blocks: Blocks, container: BlockPath) -> str:
    """A name for another branch of the container at this path."""
    row = row_at(blocks, container)
    return _free_name(_names(children(row)) if row is not None else set(), "")


_MARK_NAME = "\0moving"


def _next(path: BlockPath) -> BlockPath:
    return (*path[:-1], path[-1] + 1)


def _siblings(blocks: Blocks, parent: BlockPath) -> Sequence[Row]:
    row = row_at(blocks, parent) if parent else None
    return blocks if row is None else children(row)


def _door(row: Row, path: BlockPath, down: bool) -> BlockPath | None:
    """Where a block that walks down (or up) into the container at `path` arrives; None if it is none."""
    if isinstance(row, LayerBlock):
        return None
    if isinstance(row, OneOfBlock | ParallelBlock):
        branches = branches_of(row)[1]
        return (*path, 0, 0) if down else (*path, len(branches) - 1, len(branches[-1].blocks))
    return (*path, 0 if down else len(children(row)))


def _out_of_branch(blocks: Blocks, branch: BlockPath, down: bool) -> BlockPath:
    """Where a block goes that leaves `branch` at its end (or beginning): the next branch, or out of the container."""
    container, index = branch[:-1], branch[-1]
    branches = _siblings(blocks, container)
    if down:
        return (*container, index + 1, 0) if index + 1 < len(branches) else _next(container)
    return (*container, index - 1, len(children(branches[index - 1]))) if index else container


def _changed(blocks: Blocks, path: BlockPath, new: Sequence[Row], length: int) -> Blocks:
    """`blocks` with `length` rows from `path` on replaced by `new`."""
    return cast("Blocks", _spliced(blocks, path, new, length))


def _spliced(rows: Sequence[Row], path: BlockPath, new: Sequence[Row], length: int) -> tuple[Row, ...]:
    index = path[0]
    if len(path) == 1:
        return (*rows[:index], *new, *rows[index + length :])
    parent = rows[index]
    inside = _spliced(children(parent), path[1:], new, length)
    return (*rows[:index], _with_children(parent, inside), *rows[index + 1 :])


def _with_children(row: Row, inside: Sequence[Row]) -> Row:
    if isinstance(row, OneOfBlock | ParallelBlock):
        return row.model_copy(update={branches_of(row)[0]: _as_branches(inside)})
    if isinstance(row, LayerBlock):
        raise ValueError(f"there are no blocks inside {row.layer}")
    return row.model_copy(update={"blocks": tuple(inside)})


def _as_branches(rows: Sequence[Row]) -> tuple[Branch, ...]:
    """Branches as they are, each block among them as a branch of its own; every name once."""
    taken: set[str] = set()
    branches = []
    for row in rows:
        wanted = row.name if isinstance(row, Branch) else ""
        name = wanted if wanted and wanted not in taken else _free_name(taken | _names(rows), wanted)
        taken.add(name)
        blocks = row.blocks if isinstance(row, Branch) else (row,)
        branches.append(row if isinstance(row, Branch) and row.name == name else Branch(name=name, blocks=blocks))
    return tuple(branches)


def _names(rows: Sequence[Row]) -> set[str]:
    return {row.name for row in rows if isinstance(row, Branch)}


def _free_name(taken: set[str], wanted: str) -> str:
    """A letter that is not taken yet, or `wanted` with a number."""
    if not wanted:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            if letter not in taken:
                return letter
    number = 2
    while f"{wanted or 'branch'} {number}" in taken:
        number += 1
    return f"{wanted or 'branch'} {number}"


def _find(rows: Sequence[Row], wanted: Row) -> BlockPath | None:
    """Where this very object is (equal ones may stand elsewhere)."""
    for index, row in enumerate(rows):
        if row is wanted:
            return (index,)
        inner = _find(children(row), wanted)
        if inner is not None:
            return (index, *inner)
    return None


def _unnamed(value: Any) -> Any:
    """A tunable without the user's name for it; a shared one is meant to be the same in the copy."""
    if isinstance(value, AnyTunable) and value.name and not value.shared:
        return value.model_copy(update={"name": None})
    return value
