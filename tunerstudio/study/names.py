"""Names of blocks: the user's own, or automatic ones; and names that stay when blocks are inserted above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tunerstudio.study.arguments import LayerSpec
from tunerstudio.study.containers import every_block, mapped_lists
from tunerstudio.study.model import CONTAINERS, Block


def snake_case(name: str) -> str:
    """`BatchNormalization` -> `batch_normalization`, `Conv2D` -> `conv2d`, `LSTM` -> `lstm`."""
    out = ""
    for index, letter in enumerate(name):
        previous = name[index - 1] if index else ""
        starts_word = letter.isupper() and previous.islower() and letter != "D"
        out += ("_" if starts_word else "") + letter.lower()
    return out


def base_name(block: Block | LayerSpec) -> str:
    """What an automatic name starts with: the class in lower case, or the container's word."""
    if isinstance(block, LayerSpec):
        return snake_case(block.layer)
    return next(word for word, kind in CONTAINERS.items() if isinstance(block, kind))


def block_names(blocks: Sequence[Block]) -> dict[str, str]:
    """Name of every block by its path (`0`, `1.blocks.0`, `2.one_of.1.blocks.0`): its own, or its class, numbered."""
    names: dict[str, str] = {}
    taken = {block.name for _, block in every_block(blocks) if block.name}
    counts: dict[str, int] = {}
    for path, block in every_block(blocks):
        names[path] = block.name or _next_free(base_name(block), taken, counts)
    return names


def named(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks, each with the name that it has now written down, so that no later edit shifts it.

    An editor calls this after every edit; blocks that have names keep them, new ones get the smallest free number.
    """
    taken = {block.name for _, block in every_block(blocks) if block.name}
    return tuple(_named(block, taken, {}) for block in blocks)


def fresh_name(block: Block, taken: Iterable[str]) -> str:
    """A name for a new block that is not among `taken`."""
    return _next_free(base_name(block), set(taken), {})


def _named(block: Block, taken: set[str], counts: dict[str, int]) -> Block:
    own = block.name
    if own is None:
        own = _next_free(base_name(block), taken, counts)
        taken.add(own)
    inside = mapped_lists(block, lambda blocks: tuple(_named(inner, taken, counts) for inner in blocks))
    return inside if inside.name == own else inside.model_copy(update={"name": own})


def _next_free(base: str, taken: set[str], counts: dict[str, int]) -> str:
    while True:
        counts[base] = counts.get(base, 0) + 1
        candidate = f"{base}_{counts[base]}"
        if candidate not in taken:
            return candidate
