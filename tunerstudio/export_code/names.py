"""Names of hyperparameters and layers as Python text, with loop variables for the numbers of copies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunerstudio.export_code.text import quoted
from tunerstudio.study.walk import Known

LOOP_VARIABLES = "ijkmnpqrstuvw"
"""Names of the numbers of copies, from the outermost loop inwards."""


@dataclass(frozen=True)
class Place:
    """Where in the tree code is written: `study.walk.Scope` with loop variables in place of numbers.

    Attributes:
        suffix: Loop variables of all enclosing repeats, for names of layers.
        values, own, outer: The same for hyperparameters; see `Scope`.
    """

    suffix: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    outer: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The number of the innermost copy; "1" outside of any loop."""
        return self.suffix[-1] if self.suffix else "1"

    def in_copy(self, shared: bool) -> Place:
        """Inside one more repeat."""
        variable = LOOP_VARIABLES[len(self.suffix)]
        own = (*self.values, variable)
        return replace(
            self,
            suffix=(*self.suffix, variable),
            values=self.values if shared else own,
            own=own,
            outer=self.values,
        )


def name_text(block: str, suffix: tuple[str, ...], tail: str = "") -> str:
    """`"dense_units"`, or `f"dense_{i}_units"` inside a loop."""
    if not suffix:
        return quoted("_".join(part for part in (block, tail) if part))
    numbers = "".join(f"_{{{variable}}}" for variable in suffix)
    end = f"_{tail}" if tail else ""
    return "f" + quoted(f"{_braced(block)}{numbers}{_braced(end)}").replace("\\\\", "\\")


def referred(name: str, place: Place, known: Known) -> str:
    """The hyperparameter that `name` means at `place`: of the same copy, of an enclosing one, or this very name."""
    copies = known.get(name, {})
    for suffix in (place.own, place.values, place.outer, ()):
        if "_1" * len(suffix) in copies:
            found = copies["_1" * len(suffix)].name
            return quoted(found) if not suffix else _with_variables(found, name, suffix)
    return quoted(name)


def _with_variables(found: str, base: str, suffix: tuple[str, ...]) -> str:
    """The name of the first copies with variables for the ones: those that `base` does not have."""
    numbers = "_1" * len(suffix)
    at = next(i for i in range(len(base) + 1) if base[:i] + numbers + base[i:] == found)
    return "f" + quoted(_braced(base[:at]) + "".join(f"_{{{v}}}" for v in suffix) + _braced(base[at:]))


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
