"""Reading and writing `study.yaml`, safely: temporary file, fsync, rename; YAML that can only hold data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tunerstudio.study import arguments, data, model, search, tunable
from tunerstudio.study.document import CURRENT_VERSION, StudyDocument
from tunerstudio.study.errors import Problem, StudyError, problems_from
from tunerstudio.study.migrations import migrated

DOCUMENT_FILE = "study.yaml"

# The same in C where there is libyaml: a study of 800 columns is saved in 20 ms instead of 80, at every edit.
_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: type[yaml.SafeDumper] | type[yaml.CSafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_LOADER):  # type: ignore[misc, valid-type]  # chosen when the program starts
    """A safe loader that refuses a group with the same field twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A group of fields."""
        seen: set[str] = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                problem = f"{key.value!r} stands here twice"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


_HEADER = "# A Tuner Studio study. Edit by hand or in the window; `tunerstudio check` says what is wrong.\n"


def parse_document(content: object) -> StudyDocument:
    """A document from plain data; StudyError with every problem at once."""
    if not isinstance(content, dict):
        raise StudyError([Problem("", "a study document is a group of fields such as name, data, model and search")])
    version = content.get("version", CURRENT_VERSION)
    if not isinstance(version, int) or version < 1:
        raise StudyError([Problem("version", f"a whole number from 1 is needed, not {version!r}")])
    if version > CURRENT_VERSION:
        raise StudyError(
            [Problem("version", f"this study was written by a newer Tuner Studio (format {version}): please update")]
        )
    content = migrated(content, version)
    try:
        return StudyDocument.model_validate(content)
    except ValidationError as error:
        raise StudyError(problems_from(error, content, field_names())) from error


def field_names() -> set[str]:
    """Every field name that can stand somewhere in a study document."""
    names: set[str] = set()
    for module in (arguments, data, model, search, tunable):
        for candidate in vars(module).values():
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                names.update(candidate.model_fields)
    return names | set(StudyDocument.model_fields)


def load_document(folder: Path) -> StudyDocument:
    """The document of the study in `folder`.

    Raises:
        StudyError: If the file is missing, unreadable, not YAML, or not a valid study.
    """
    path = folder / DOCUMENT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise StudyError([Problem("", f"{folder} is not a study: it has no {DOCUMENT_FILE}")]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError([Problem("", f"{path} cannot be read: {error}")]) from error
    try:
        content = yaml.load(text, Loader=_Loader)  # a safe loader: it makes plain data only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "unreadable"
        raise StudyError([Problem("", f"{path.name} is not valid YAML{where}: {reason}")]) from error
    return parse_document(content)


def document_text(document: StudyDocument) -> str:
    """The document as YAML, without fields that hold their default."""
    content = {"version": document.version, **plain(document)}
    return _HEADER + yaml.dump(content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=110)


def plain(value: BaseModel) -> dict[str, Any]:
    """A model as JSON-like data: defaults left out, but the tags that tell kinds apart kept."""
    dumped: dict[str, Any] = {}
    for name in sorted(type(value).model_fields, key=lambda name: name != "tune"):  # what a field is comes first
        item = getattr(value, name)
        is_tag = name in {"kind", "tune"}
        if is_tag or item != type(value).model_fields[name].get_default(call_default_factory=True):
            dumped[name] = _plain_item(item)
    return dumped


def _plain_item(item: object) -> Any:
    if isinstance(item, BaseModel):
        return plain(item)
    if isinstance(item, Mapping):
        return {key: _plain_item(inner) for key, inner in item.items()}
    if isinstance(item, list | tuple):
        return [_plain_item(inner) for inner in item]
    return item


def save_document(document: StudyDocument, folder: Path) -> None:
    """Write `study.yaml` into `folder` (created if needed) so that a crash leaves the old or the new file, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / DOCUMENT_FILE, document_text(document).encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step: temporary file beside it, fsync, rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def json_schema() -> dict[str, Any]:
    """JSON Schema of the study document, for editors."""
    schema = StudyDocument.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema
