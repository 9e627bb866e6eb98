"""Columns of running text: the words that are known, and the text itself as workers read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunerstudio.data.sentences import quoted
from tunerstudio.study.data import TextOptions
from tunerstudio.study.preprocessing import TextInput
from tunerstudio.study.words import words_of

MOST_WORDS_BESIDE = 1000
"""Words of a text that stands beside other features: each is a feature of its own."""

_ENOUGH = 0.95
_LONGEST = 400
"""Words per text that are taken where nobody says how many: what follows seldom decides, and costs time."""


def text_inputs(
    texts: dict[str, list[Any]], options: TextOptions, alone: bool, training: np.ndarray, to: Path, notes: list[str]
) -> list[TextInput]:
    """Write the texts into the folder `to` and plan how they are read.

    Args:
        texts: Per column, blocks of `pyarrow` text of all rows.
        options: How many words.
        alone: Whether one text is all that is learned from.
        training: Numbers of the training rows, from which the words are taken.
        to: The folder of the prepared data.
        notes: Sentences for the user are added here.
    """
    inputs: list[TextInput] = []
    for name, blocks in texts.items():
        column = pa.chunked_array(blocks, pa.string()).combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        known, lengths = count_words(column.take(pa.array(training)).to_pylist())
        if not known:
            notes.append(f"{quoted([name])} has no words in the training part and is left out.")
            continue
        most = options.words - 2 if alone else min(options.words - 2, MOST_WORDS_BESIDE)
        vocabulary = tuple(sorted(known, key=lambda word: (-known[word], word))[:most])
        length = (options.length or usual_length(lengths)) if alone else None
        _write(column, to, len(inputs))
        inputs.append(TextInput(name=name, columns=(name,), vocabulary=vocabulary, length=length))
        notes.append(_note(name, len(known), vocabulary, length))
    return inputs


def count_words(texts: Sequence[str]) -> tuple[Counter[str], list[int]]:
    """How often each word occurs, and how many words each text has."""
    counts: Counter[str] = Counter()
    lengths = []
    for text in texts:
        words = words_of(text)
        counts.update(words)
        lengths.append(len(words))
    return counts, lengths


def usual_length(lengths: Sequence[int]) -> int:
    """Words that are enough for nearly all texts."""
    return int(np.clip(np.ceil(np.quantile(lengths, _ENOUGH)), 1, _LONGEST))


def _note(name: str, words: int, vocabulary: Sequence[str], length: int | None) -> str:
    known = f"all {words}" if len(vocabulary) == words else f"the {len(vocabulary)} most frequent of {words}"
    how = "each of them is a feature" if length is None else f"the first {length} words of each row are read"
    return f'"{name}": {known} words of the training rows are known; {how}.'


def _write(column: Any, to: Path, number: int) -> None:
    """The text of all rows as one array of bytes, and where each row ends."""
    data = pc.cast(column, pa.large_binary())
    ends = np.cumsum(pc.binary_length(data).to_numpy(zero_copy_only=False), dtype=np.int64)
    np.save(to / f"text_{number}.npy", np.frombuffer(b"".join(data.to_pylist()), dtype=np.uint8))
    np.save(to / f"text_{number}_ends.npy", ends)
