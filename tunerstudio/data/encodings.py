"""Which characters the bytes of a text file stand for."""

from __future__ import annotations

import codecs

from tunerstudio.study.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TITLES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with BOM",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "latin-1": "Latin-1",
    "cp1252": "Windows-1252",
    "ascii": "ASCII",
}


def encoding_title(encoding: str) -> str:
    """The encoding's name as people know it."""
    return _TITLES.get(encoding.lower(), encoding)


def detect_encoding(head: bytes) -> str:
    """The encoding of a text that starts with `head`: by its mark, by its zero bytes, by its validity as UTF-8."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    wide = _utf16_without_mark(head)
    if wide:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return single_byte_encoding(head)
    return "utf-8"


def single_byte_encoding(head: bytes) -> str:
    """Latin-1, or Windows-1252 if there are characters (quotes, dashes, the euro) that Latin-1 has not."""
    if not any(0x80 <= byte <= 0x9F for byte in set(head)):
        return "latin-1"
    try:
        head.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _utf16_without_mark(head: bytes) -> str:
    """Western text in UTF-16 has a zero in every other byte."""
    pairs = len(head) // 2
    if pairs < 2:
        return ""
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > 0.7 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if even > 0.7 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return ""


def check_encoding(encoding: str) -> None:
    """DataError if there is no such encoding."""
    try:
        known = codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError, TypeError):
        known = False
    if not known:
        raise DataError(f"There is no encoding called {encoding!r}: use utf-8, utf-8-sig, utf-16, latin-1 or cp1252.")


def decode_head(head: bytes, encoding: str, name: str) -> str:
    """The characters of `head`, which may end in the middle of one.

    Raises:
        DataError: If the bytes are not text in this encoding.
    """
    check_encoding(encoding)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except (UnicodeDecodeError, UnicodeError) as error:
        raise not_in_encoding(name, encoding) from error
    if looks_binary(text):
        raise DataError(
            f"{name} is not a text file, whatever its name says: it holds bytes that no text has. "
            "Choose a CSV, Excel, Parquet or NPZ file."
        )
    return text.removeprefix("\ufeff")


def not_in_encoding(name: str, encoding: str) -> DataError:
    """What to say about bytes that `encoding` cannot have."""
    return DataError(
        f"{name} is not text in the encoding {encoding_title(encoding)}: "
        "leave the encoding to be detected, or choose another such as latin-1."
    )


def looks_binary(text: str) -> bool:
    """Whether there are too many control characters for a text."""
    controls = sum(1 for character in text[:20_000] if character < " " and character not in "\t\n\r\f\x1a")
    return controls > max(2, len(text[:20_000]) // 200)
