"""MANIFEST.toml of an algorithm plugin: what it is and which options it has, known without importing its code.

The validator needs nothing but the standard library and returns everything that is wrong at once, in sentences.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tunerstudio.study.errors import suggest

MANIFEST_NAME: Final = "MANIFEST.toml"
SUPPORTED_API: Final = (1,)

OptionType = Literal["int", "float", "bool", "choice", "text"]
OptionValue = bool | int | float | str | None

CAPABILITIES: Final[Mapping[str, str]] = {
    "conditional": "knows that some hyperparameters are active only for some values of others",
    "continuous": "draws from ranges without a step (without it they are cut into points)",
    "parallel": "proposes a trial while others still run",
    "deterministic": "proposes the same trials whatever the seed",
    "multi_objective": "optimises several objectives at once",
    "uses_epochs": "trains some trials for fewer epochs and goes on with the promising ones",
    "model_based": "learns from scores which values are promising",
    "prunes": "ends trials that do badly by itself (observe_epoch beside propose)",
}
"""Everything a manifest may claim, with its meaning."""

_FIELDS: Final[Mapping[str, tuple[type, str, bool]]] = {
    # name: (type, what to call it, required)
    "id": (str, "a text", True),
    "name": (str, "a text", True),
    "description": (str, "a text", True),
    "version": (str, 'a text such as "1.0.0"', True),
    "api": (int, "a whole number", True),
    "module": (str, "a text", True),
    "kind": (str, "a text", True),
    "family": (str, "a text", False),
    "resume": (str, "a text", False),
    "capabilities": (list, "a list of texts", False),
    "needs": (list, "a list of texts", False),
    "install": (str, "a text", False),
    "options": (list, "a list of tables ([[options]])", False),
}

_OPTION_FIELDS: Final[Mapping[str, tuple[type, str, bool]]] = {
    "name": (str, "a text", True),
    "type": (str, "a text", True),
    "default": (object, "", False),
    "min": (object, "", False),
    "max": (object, "", False),
    "choices": (list, "a list", False),
    "unit": (str, "a text", False),
    "label": (str, "a text", True),
    "help": (str, "a text", True),
    "advanced": (bool, "true or false", False),
    "nullable": (bool, "true or false", False),
}

_KINDS: Final = ("propose", "oracle", "pruner")
_RESUMES: Final = ("replay", "state")
_TYPES: Final = ("int", "float", "bool", "choice", "text")


@dataclass(frozen=True)
class Option:
    """One option of an algorithm: what the form shows and the study document may hold.

    Attributes:
        name: Key in the study document and in `options`.
        type: What the value is.
        default: Used where the document says nothing; None only if `nullable`.
        label: Short text beside the field.
        help: One or two sentences: what it does, when to change it.
        min: Least value of an int or float, included; None: no limit.
        max: Greatest value of an int or float, included; None: no limit.
        choices: Values of a choice.
        unit: Unit of the number, such as "epochs"; "" if it has none.
        advanced: Whether the form hides it at first.
        nullable: Whether it may be null, which `help` explains.
    """

    name: str
    type: OptionType
    default: OptionValue
    label: str
    help: str
    min: float | None = None
    max: float | None = None
    choices: tuple[bool | int | float | str, ...] = ()
    unit: str = ""
    advanced: bool = False
    nullable: bool = False

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`, in a sentence; None if it is right."""
        if value is None:
            return None if self.nullable else f"{self._needed()}, not null"
        if self.type == "choice":
            listed = any(type(value) is type(choice) and value == choice for choice in self.choices)
            return None if listed else f"{value!r} is not known here; use one of {_listing(self.choices)}"
        if not _is_a(self.type, value):
            return f"{self._needed()}, not {value!r}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._out_of_bounds(value)
        return None

    def coerced(self, value: OptionValue) -> OptionValue:
        """A right `value` in its own type: 3 becomes 3.0 for a float."""
        return float(value) if self.type == "float" and isinstance(value, int) else value

    def _out_of_bounds(self, value: float) -> str | None:
        if self.min is not None and value < self.min:
            return f"must be at least {self.min:g}, not {value:g}"
        if self.max is not None and value > self.max:
            return f"must be at most {self.max:g}, not {value:g}"
        return None

    def _needed(self) -> str:
        words = {"int": "a whole number", "float": "a number", "bool": "true or false", "text": "a text"}
        needed = words.get(self.type, f"one of {_listing(self.choices)}")
        return f"{needed} is needed"


@dataclass(frozen=True)
class Manifest:
    """What an algorithm says of itself.

    Attributes:
        id: Key in the study document; lower case.
        name: What people read.
        description: One to three sentences: what it does and when to take it.
        version: Of the plugin.
        api: Version of `tunerstudio.algorithms.api` that it was written for.
        module: Python file beside the manifest, without `.py`.
        kind: "propose": a pure function; "oracle": a Keras Tuner oracle; "pruner": ends trials that do badly.
        folder: Where it lies.
        family: Heading to list it under.
        resume: Oracles only. "replay": ask everything again in the same order (always right); "state": its
            `get_state` and `set_state` hold all there is beside random numbers (fast).
        capabilities: Keys of `CAPABILITIES`.
        needs: Modules that must be importable.
        install: What to write behind `pip install` to have them, quotes included; "" if it does not say.
        options: In the order of the form.
    """

    id: str
    name: str
    description: str
    version: str
    api: int
    module: str
    kind: Literal["propose", "oracle", "pruner"]
    folder: Path
    family: str = ""
    resume: Literal["replay", "state"] = "replay"
    capabilities: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    install: str = ""
    options: tuple[Option, ...] = ()

    def option(self, name: str) -> Option:
        """The option called `name`; KeyError if there is none."""
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError(name)


def read_manifest(folder: Path) -> tuple[Manifest | None, list[str]]:
    """Read the manifest in `folder` without importing anything of the plugin.

    Returns:
        The manifest, or None and all that is wrong with it, one sentence each.
    """
    path = folder / MANIFEST_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return None, [f"{MANIFEST_NAME} cannot be read: {error.strerror or error}"]
    except UnicodeDecodeError:
        return None, [f"{MANIFEST_NAME} is not UTF-8 text"]
    except tomllib.TOMLDecodeError as error:
        return None, [f"{MANIFEST_NAME} is not valid TOML: {error}"]
    problems = manifest_problems(data)
    module = data.get("module")
    if isinstance(module, str) and module.isidentifier() and not (folder / f"{module}.py").is_file():
        problems.append(f"module: there is no file {module}.py beside {MANIFEST_NAME}")
    return (None, problems) if problems else (_manifest_from(data, folder), [])


def manifest_problems(data: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with the parsed TOML, one sentence each; empty if it is right."""
    problems = _field_problems(data, _FIELDS, "")
    problems += _identity_problems(data)
    problems += _list_problems(data)
    options = data.get("options", [])
    if isinstance(options, list):
        seen: set[str] = set()
        for index, option in enumerate(options):
            problems += _option_problems(option, index, seen)
    return problems


def _field_problems(data: Mapping[str, Any], fields: Mapping[str, tuple[type, str, bool]], prefix: str) -> list[str]:
    problems = [f"{prefix}{key}: there is no such field.{suggest(key, fields)}" for key in data if key not in fields]
    for key, (kind, words, required) in fields.items():
        if key not in data:
            if required:
                problems.append(f"{prefix}{key}: this field is required")
        elif not isinstance(data[key], kind) or (kind is int and isinstance(data[key], bool)):
            problems.append(f"{prefix}{key}: {words} is needed, not {data[key]!r}")
        elif kind is str and required and not data[key].strip():
            problems.append(f"{prefix}{key}: must not be empty")
    return problems


def _identity_problems(data: Mapping[str, Any]) -> list[str]:
    problems = []
    if _wrong_text(data, "id", r"[a-z][a-z0-9_-]*"):
        problems.append(
            f"id: {data['id']!r} may hold lower-case letters, digits, - and _ only, and starts with a letter"
        )
    if _wrong_text(data, "version", r"\d+(\.\d+)*([a-z.+-][a-z0-9.+-]*)?"):
        problems.append(f"version: {data['version']!r} is not a version such as 1.0.0")
    if _wrong_text(data, "module", r"[A-Za-z_][A-Za-z0-9_]*"):
        problems.append(f"module: {data['module']!r} is not a module name; give the file's name without .py")
    api = data.get("api")
    if isinstance(api, int) and not isinstance(api, bool) and api not in SUPPORTED_API:
        problems.append(f"api: version {api} is not supported here; this program has {_listing(SUPPORTED_API)}")
    for key, allowed in (("kind", _KINDS), ("resume", _RESUMES)):
        if isinstance(data.get(key), str) and data[key] not in allowed:
            problems.append(f"{key}: {data[key]!r} is not known; use one of {_listing(allowed)}")
    return problems


def _wrong_text(data: Mapping[str, Any], key: str, pattern: str) -> bool:
    value = data.get(key)
    return isinstance(value, str) and bool(value.strip()) and re.fullmatch(pattern, value) is None


def _list_problems(data: Mapping[str, Any]) -> list[str]:
    problems = []
    for key in ("capabilities", "needs"):
        entries = data.get(key, [])
        if isinstance(entries, list):
            problems += [f"{key}: a text is needed, not {entry!r}" for entry in entries if not isinstance(entry, str)]
    needs = data.get("needs", [])
    for entry in needs if isinstance(needs, list) else []:
        if isinstance(entry, str) and not all(part.isidentifier() for part in entry.split(".")):
            problems.append(f"needs: {entry!r} is not the name of a Python module, such as scipy or sklearn.svm")
    capabilities = data.get("capabilities", [])
    for entry in capabilities if isinstance(capabilities, list) else []:
        if isinstance(entry, str) and entry not in CAPABILITIES:
            problems.append(
                f"capabilities: {entry!r} is not known; use some of {_listing(tuple(CAPABILITIES))}."
                f"{suggest(entry, CAPABILITIES)}"
            )
    return problems


def _option_problems(data: object, index: int, seen: set[str]) -> list[str]:
    if not isinstance(data, dict):
        return [f"options.{index}: a table ([[options]]) is needed, not {data!r}"]
    name = data.get("name")
    prefix = f"options.{name if isinstance(name, str) and name else index}."
    problems = _field_problems(data, _OPTION_FIELDS, prefix)
    if isinstance(name, str) and name:
        if not name.isidentifier():
            problems.append(f"{prefix}name: {name!r} may hold letters, digits and _ only")
        if name in seen:
            problems.append(f"{prefix}name: there are two options of this name")
        seen.add(name)
    kind = data.get("type")
    if not isinstance(kind, str):
        return problems  # whether bounds, choices and default suit it cannot be said
    if kind not in _TYPES:
        problems.append(f"{prefix}type: {kind!r} is not known; use one of {_listing(_TYPES)}")
        return problems
    problems += _bound_problems(data, kind, prefix)
    return problems if problems else _default_problems(data, prefix)


def _bound_problems(data: Mapping[str, Any], kind: object, prefix: str) -> list[str]:
    problems = []
    for key in ("min", "max"):
        if key not in data:
            continue
        if kind not in {"int", "float"}:
            problems.append(f"{prefix}{key}: only int and float options have bounds")
        elif not _is_a("int" if kind == "int" else "float", data[key]):
            problems.append(f"{prefix}{key}: a number of the option's type is needed, not {data[key]!r}")
    if not problems and "min" in data and "max" in data and data["min"] > data["max"]:
        problems.append(f"{prefix}min: {data['min']} is greater than max ({data['max']})")
    if kind == "choice" and not data.get("choices"):
        problems.append(f"{prefix}choices: a choice needs a list of values")
    if kind != "choice" and "choices" in data:
        problems.append(f"{prefix}choices: only choice options have choices")
    return problems


def _default_problems(data: Mapping[str, Any], prefix: str) -> list[str]:
    if "default" not in data:
        nullable = data.get("nullable", False)
        return [] if nullable else [f"{prefix}default: this field is required (or nullable = true, which means null)"]
    problem = _option_from(data).problem(data["default"])
    return [f"{prefix}default: {problem}"] if problem else []


def _is_a(kind: str, value: object) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    finite = value == value and abs(value) != float("inf")
    return isinstance(value, int) if kind == "int" else finite


def _listing(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))


def _option_from(data: Mapping[str, Any]) -> Option:
    fields = {**data, "choices": tuple(data.get("choices", ()))}
    fields.setdefault("default", None)
    option = Option(**fields)
    return Option(**{**fields, "default": option.coerced(option.default)})


def _manifest_from(data: Mapping[str, Any], folder: Path) -> Manifest:
    return Manifest(
        **{
            **data,
            "folder": folder,
            "capabilities": frozenset(data.get("capabilities", ())),
            "needs": tuple(data.get("needs", ())),
            "options": tuple(_option_from(option) for option in data.get("options", ())),
        }
    )
