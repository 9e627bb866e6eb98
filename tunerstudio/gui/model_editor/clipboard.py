"""Blocks on the clipboard: YAML text, as it stands in a study document, so that it can go anywhere and come back."""

from __future__ import annotations

from collections.abc import Sequence

import yaml
from pydantic import TypeAdapter, ValidationError
from PySide6.QtCore import QCoreApplication

from tunerstudio.study.files import plain
from tunerstudio.study.model import Block

_BLOCKS: TypeAdapter[tuple[Block, ...]] = TypeAdapter(tuple[Block, ...])
_MOST_CHARACTERS = 1_000_000


class NoBlocksError(Exception):
    """The text on the clipboard holds no blocks; the sentence says so."""


def blocks_text(blocks: Sequence[Block]) -> str:
    """`blocks` as they would stand in study.yaml."""
    return yaml.safe_dump([plain(block) for block in blocks], sort_keys=False, allow_unicode=True)


def blocks_from_text(text: str) -> tuple[Block, ...]:
    """The blocks in `text`: a list, or one alone.

    Raises:
        NoBlocksError: If it is anything else.
    """
    refusal = NoBlocksError(
        QCoreApplication.translate("Clipboard", "The clipboard holds no layers: copy some in a network first.")
    )
    try:
        content = yaml.safe_load(text[:_MOST_CHARACTERS])
        blocks = _BLOCKS.validate_python(content if isinstance(content, list) else [content])
    except (yaml.YAMLError, ValidationError) as error:
        raise refusal from error
    if not blocks:
        raise refusal
    return blocks
