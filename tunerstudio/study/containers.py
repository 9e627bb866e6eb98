"""Walking over and rebuilding a tree of blocks, whatever containers it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tunerstudio.study.model import Block, Branch, LayerBlock, OneOfBlock, ParallelBlock

Blocks = tuple[Block, ...]


@dataclass(frozen=True)
class BlockList:
    """One list of blocks inside a container.

    Attributes:
        path: From the container's path to the list: `blocks`, or `one_of.1.blocks`.
        name: Of the branch; "" for a container with a single list.
        blocks: What stands in it; only a branch may be empty.
    """

    path: str
    name: str
    blocks: Blocks


def lists_of(block: Block) -> tuple[BlockList, ...]:
    """The lists of blocks directly inside `block`, in order; none for a layer."""
    if isinstance(block, LayerBlock):
        return ()
    if isinstance(block, OneOfBlock | ParallelBlock):
        field, branches = branches_of(block)
        return tuple(BlockList(f"{field}.{i}.blocks", branch.name, branch.blocks) for i, branch in enumerate(branches))
    return (BlockList("blocks", "", block.blocks),)


def branches_of(block: OneOfBlock | ParallelBlock) -> tuple[str, tuple[Branch, ...]]:
    """The field that holds the branches (`one_of` or `parallel`), and the branches."""
    return ("one_of", block.one_of) if isinstance(block, OneOfBlock) else ("parallel", block.parallel)


def with_list(block: Block, index: int, blocks: Blocks) -> Block:
    """`block` with the list number `index` (as in `lists_of`) replaced.

    Raises:
        ValueError: If `block` is a layer, which has no lists.
    """
    if isinstance(block, LayerBlock):
        raise ValueError(f"there are no blocks inside {block.layer}")
    if isinstance(block, OneOfBlock | ParallelBlock):
        field, branches = branches_of(block)
        changed = branches[index].model_copy(update={"blocks": blocks})
        return block.model_copy(update={field: (*branches[:index], changed, *branches[index + 1 :])})
    return block.model_copy(update={"blocks": blocks})


def mapped_lists(block: Block, change: Callable[[Blocks], Blocks]) -> Block:
    """`block` with `change` applied to each list inside it; a layer stays as it is."""
    for index, inside in enumerate(lists_of(block)):
        block = with_list(block, index, change(inside.blocks))
    return block


def every_block(blocks: Sequence[Block], prefix: str = "") -> Iterator[tuple[str, Block]]:
    """(path, block) of every block in the tree, a container before what is in it; disabled ones too.

    A path is what follows `model.blocks.` in the fields of problems, such as `1.blocks.0` or `2.one_of.1.blocks.0`.
    """
    for index, block in enumerate(blocks):
        path = f"{prefix}{index}"
        yield path, block
        for inside in lists_of(block):
            yield from every_block(inside.blocks, f"{path}.{inside.path}.")


def block_by_path(blocks: Sequence[Block], path: str) -> Block | None:
    """The block at a path as `every_block` writes it; None if there is none."""
    return next((block for found, block in every_block(blocks) if found == path), None)
