"""Editing a tree of blocks: every operation returns new blocks, the old ones stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from tunerstudio.study.containers import mapped_lists
from tunerstudio.study.model import Block, LayerBlock, RepeatBlock
from tunerstudio.study.tunable import TuneBoolean, TuneChoice, TuneFloat, TuneInt

_T = TypeVar("_T")

Blocks = tuple[Block, ...]
BlockPath = tuple[int, ...]
"""Index in the top list, then in the repeat found there, and so on."""


def path_text(path: BlockPath) -> str:
    """The path as it stands in problems and names: `1.blocks.0`."""
    return ".blocks.".join(str(index) for index in path)


def block_at(blocks: Sequence[Block], path: BlockPath) -> Block | None:
    """The block at `path`; None if there is none."""
    if not path or not 0 <= path[0] < len(blocks):
        return None
    block = blocks[path[0]]
    if len(path) == 1:
        return block
    return block_at(block.blocks, path[1:]) if isinstance(block, RepeatBlock) else None


def replaced(blocks: Blocks, path: BlockPath, block: Block) -> Blocks:
    """`block` in the place of the one at `path`."""
    return _changed(blocks, path, (block,), 1)


def inserted(blocks: Blocks, path: BlockPath, block: Block) -> Blocks:
    """`block` in front of what is at `path` now; an index past the end appends."""
    return _changed(blocks, path, (block,), 0)


def removed(blocks: Blocks, path: BlockPath) -> Blocks:
    """Without the block at `path`, and without a repeat that this leaves empty."""
    parent = block_at(blocks, path[:-1])
    if isinstance(parent, RepeatBlock) and len(parent.blocks) == 1:
        return removed(blocks, path[:-1])
    return _changed(blocks, path, (), 1)


def moved(blocks: Blocks, source: BlockPath, target: BlockPath) -> tuple[Blocks, BlockPath]:
    """The block at `source` in front of what is at `target` now.

    Returns:
        The blocks and where the block is now; both unchanged if it would go into itself or not move at all.
    """
    block = block_at(blocks, source)
    if block is None or target[: len(source)] == source or target == _next(source):
        return blocks, source
    marked = _changed(blocks, source, (_MARK,), 1)
    placed = inserted(marked, target, block)
    mark = _find(placed, _MARK)
    assert mark is not None
    result = removed(placed, mark)
    arrived = _find(result, block)
    assert arrived is not None
    return result, arrived


def moved_by_one(blocks: Blocks, path: BlockPath, down: bool) -> tuple[Blocks, BlockPath]:
    """The block one place up or down as one reads the list: into a neighbouring repeat, and out at its ends."""
    parent, index = path[:-1], path[-1]
    siblings = _siblings(blocks, parent)
    neighbour = index + 1 if down else index - 1
    if 0 <= neighbour < len(siblings):
        other = siblings[neighbour]
        if isinstance(other, RepeatBlock):
            place = 0 if down else len(other.blocks)
            return moved(blocks, path, (*parent, neighbour, place))
        return moved(blocks, path, (*parent, neighbour + 1 if down else neighbour))
    if not parent:
        return blocks, path
    return moved(blocks, path, _next(parent) if down else parent)


def duplicated(block: Block) -> Block:
    """A copy without the names that must be unique."""
    inside = mapped_lists(block, lambda blocks: tuple(duplicated(inner) for inner in blocks))
    update: dict[str, Any] = {"name": None}
    for field in ("repeat", "optional", "residual", "chosen", "merge"):
        if hasattr(inside, field):
            update[field] = _unnamed(getattr(inside, field))
    if isinstance(inside, LayerBlock):
        update["arguments"] = {name: _unnamed(value) for name, value in inside.arguments.items()}
    return inside.model_copy(update=update)


def wrapped(blocks: Blocks, path: BlockPath) -> Blocks:
    """The block at `path` inside a new repeat of one to three copies."""
    block = block_at(blocks, path)
    if block is None:
        return blocks
    return replaced(blocks, path, RepeatBlock(repeat=TuneInt(min=1, max=3, default=1), blocks=(block,)))


def unwrapped(blocks: Blocks, path: BlockPath) -> Blocks:
    """The blocks inside the repeat at `path` in its place."""
    block = block_at(blocks, path)
    return _changed(blocks, path, block.blocks, 1) if isinstance(block, RepeatBlock) else blocks


_MARK = LayerBlock(layer="\0moving")


def _next(path: BlockPath) -> BlockPath:
    return (*path[:-1], path[-1] + 1)


def _siblings(blocks: Blocks, parent: BlockPath) -> Sequence[Block]:
    block = block_at(blocks, parent) if parent else None
    return block.blocks if isinstance(block, RepeatBlock) else blocks


def _changed(blocks: Blocks, path: BlockPath, new: Sequence[Block], length: int) -> Blocks:
    """`blocks` with `length` blocks from `path` on replaced by `new`."""
    index = path[0]
    if len(path) == 1:
        return (*blocks[:index], *new, *blocks[index + length :])
    parent = blocks[index]
    if not isinstance(parent, RepeatBlock):
        raise ValueError("only a repeat holds blocks directly")
    inside = parent.model_copy(update={"blocks": _changed(parent.blocks, path[1:], new, length)})
    return (*blocks[:index], inside, *blocks[index + 1 :])


def _find(blocks: Sequence[Block], wanted: Block) -> BlockPath | None:
    """Where this very object is (equal blocks may stand elsewhere)."""
    for index, block in enumerate(blocks):
        if block is wanted:
            return (index,)
        if isinstance(block, RepeatBlock):
            inner = _find(block.blocks, wanted)
            if inner is not None:
                return (index, *inner)
    return None


def _unnamed(value: _T) -> _T:
    if isinstance(value, TuneInt | TuneFloat | TuneChoice | TuneBoolean) and value.name:
        return cast("_T", value.model_copy(update={"name": None}))
    return value
