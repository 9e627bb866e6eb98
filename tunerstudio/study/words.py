"""How a text is divided into words: exactly as Keras's `TextVectorization` does it, without TensorFlow."""

from __future__ import annotations

_PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
"""What Keras strips."""

NOTHING, UNKNOWN = 0, 1
"""Numbers of the place behind the last word, and of a word that is not in the vocabulary."""


def words_of(text: str) -> list[str]:
    """The words of `text`, in order: small letters (A-Z only, as in TensorFlow), no punctuation, divided at blanks."""
    plain = text.encode("utf-8", "replace").lower().translate(None, _PUNCTUATION)
    return [word.decode() for word in plain.split()]
