"""One walk over a tree of blocks: the hyperparameters in it, and every layer at its place in the largest network.

Copies of a repeat give names a suffix: the layer `dense` becomes `dense_1` and `dense_2`, and a hyperparameter that
each copy has for itself `dense_1_units` and `dense_2_units`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tunerstudio.study.arguments import LayerSpec, ObjectSpec, Reference
from tunerstudio.study.errors import Problem, suggest
from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Float, Int
from tunerstudio.study.model import (
    Block,
    Branch,
    LayerBlock,
    OneOfBlock,
    OptionalBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.names import block_names
from tunerstudio.study.placed import (
    PlacedArgument,
    PlacedLayer,
    PlacedList,
    PlacedMerge,
    PlacedObject,
    widened,
)
from tunerstudio.study.tunable import AnyTunable, Scaled, TuneBoolean, TuneChoice

AnyHyperparameter = Int | Float | Choice | Boolean

Known = dict[str, dict[str, AnyHyperparameter]]
"""By the name a user would write, then by the suffix of the copy: the hyperparameter."""


@dataclass(frozen=True)
class Scope:
    """Where the walk is.

    Attributes:
        suffix: Of layer names: one number per enclosing repeat.
        values: Suffix of hyperparameter names, as the enclosing repeats say.
        own: The same if the innermost repeat gave each copy its own values.
        outer: The same if the innermost repeat shared all values.
        copy: 1-based number of the copy of the innermost repeat; 1 outside of any.
        conditions: What must hold for the place to exist.
    """

    suffix: str = ""
    values: str = ""
    own: str = ""
    outer: str = ""
    copy: int = 1
    conditions: tuple[Condition, ...] = ()

    def also(self, *conditions: Condition) -> Scope:
        """The same place under further conditions."""
        return replace(self, conditions=(*self.conditions, *conditions))

    def in_copy(self, number: int, shared: bool, conditions: tuple[Condition, ...]) -> Scope:
        """Inside copy `number` of a repeat."""
        own = f"{self.values}_{number}"
        return Scope(f"{self.suffix}_{number}", self.values if shared else own, own, self.values, number, conditions)


@dataclass
class Walk:
    """What the walk collects.

    Attributes:
        known: What an earlier walk over the same tree found, for references to what comes later.
        found: The same, of this walk.
        unresolved: Whether a name was met that `known` does not hold.
    """

    known: Known = field(default_factory=dict)
    found: Known = field(default_factory=dict)
    hyperparameters: dict[str, AnyHyperparameter] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    references: list[tuple[str, str, Scope]] = field(default_factory=list)

    def problem(self, path: str, message: str) -> None:
        """Note something wrong, once."""
        found = Problem(path, message)
        if found not in self.problems:
            self.problems.append(found)

    # Hyperparameters

    def add(self, tunable: AnyTunable, block: str, tail: str, path: str, scope: Scope) -> PlacedArgument:
        """Register a tunable field; the same may come again from another copy or place that shares it.

        Args:
            tunable: The field.
            block: Name of the block it belongs to, "" for none.
            tail: What its name ends with.
            path: Field in the document.
            scope: Where the walk is.
        """
        suffix, factor = self._copy_rule(tunable, path, scope)
        base = tunable.name or "_".join(part for part in (block, tail) if part)
        name = tunable.name + suffix if tunable.name else "_".join(part for part in (block + suffix, tail) if part)
        conditions = (*scope.conditions, *self._conditions(tunable, path, scope))
        hyperparameter = tunable.model_copy(update={"name": None}).named(name, conditions)
        self._register(hyperparameter, base, suffix, path + suffix, tunable.shared)
        return PlacedArgument(tail, hyperparameter=name, path=path, factor=factor)

    def _copy_rule(self, tunable: AnyTunable, path: str, scope: Scope) -> tuple[str, float]:
        """The suffix of the name, and the factor of this copy."""
        if tunable.shared:
            suffix = ""
        elif tunable.copies is None:
            suffix = scope.values
        else:
            suffix = scope.own if tunable.copies == "own" else scope.outer
        if not isinstance(tunable.copies, Scaled):
            return suffix, 1.0
        if isinstance(tunable, TuneBoolean) or (
            isinstance(tunable, TuneChoice) and any(isinstance(v, str | bool) for v in tunable.choices)
        ):
            self.problem(path, "only numbers can be scaled from copy to copy: use copies: own or shared")
        return suffix, tunable.copies.times ** (scope.copy - 1)

    def _register(self, new: AnyHyperparameter, base: str, suffix: str, origin: str, shared: bool) -> None:
        name = new.name
        old = self.hyperparameters.get(name)
        if old is None:
            self.origins[name] = origin
            self.hyperparameters[name] = new
        elif origin == self.origins[name] or shared:
            if new.model_copy(update={"conditions": ()}) != old.model_copy(update={"conditions": ()}):
                message = f"{name!r} is shared with {self.origins[name]}, which has another range: make them equal"
                self.problem(origin, message)
            self.hyperparameters[name] = old.model_copy(update={"conditions": widened(old.conditions, new.conditions)})
        else:
            message = (
                f"the hyperparameter name {name!r} is already used by {self.origins[name]}: rename one, "
                "or mark both as shared"
            )
            self.problem(origin, message)
        self.found.setdefault(base, {})[suffix] = self.hyperparameters[name]

    def _conditions(self, tunable: AnyTunable, path: str, scope: Scope) -> list[Condition]:
        """`only_if` with the real names of the parents."""
        conditions = []
        for condition in tunable.conditions:
            parent = self._lookup(condition.parent, f"{path}.only_if.{condition.parent}", scope)
            if parent is not None:
                conditions.append(Condition(parent=parent.name, values=condition.values))
        return conditions

    def _lookup(self, name: str, path: str, scope: Scope) -> AnyHyperparameter | None:
        """The hyperparameter that `name` means here: of the same copy, of an enclosing one, or this very name."""
        self.references.append((name, path, scope))
        return self.meant(name, scope)

    def meant(self, name: str, scope: Scope) -> AnyHyperparameter | None:
        """See `_lookup`; from what an earlier walk found."""
        copies = self.known.get(name, {})
        for suffix in (scope.own, scope.values, scope.outer, ""):
            if suffix in copies:
                return copies[suffix]
        return next((h for group in self.known.values() for h in group.values() if h.name == name), None)

    def report_unknown(self) -> None:
        """Problems for names that mean nothing; for the last walk only."""
        for name, path, scope in self.references:
            if self.meant(name, scope) is None:
                known = [h.name for group in self.known.values() for h in group.values()]
                self.problem(path, f"there is no hyperparameter {name!r}.{suggest(name, [*self.known, *known])}")

    # Arguments

    def argument(self, name: str, value: object, block: str, tail: str, path: str, scope: Scope) -> PlacedArgument:
        """One argument, whatever it holds; `tail` is what the name of a hyperparameter ends with."""
        if isinstance(value, AnyTunable):
            return replace(self.add(value, block, tail, path, scope), name=name)
        if isinstance(value, Reference):
            return self._reference(name, value, path, scope)
        if isinstance(value, ObjectSpec):
            return PlacedArgument(name, path=path, nested=self.object(value, block, tail, path, scope))
        if isinstance(value, LayerSpec):
            return PlacedArgument(name, path=path, nested=self._inner_layer(value, block, tail, path, scope))
        return PlacedArgument(name, plain=value, path=path)  # type: ignore[arg-type]  # the rest of Argument is JSON

    def arguments(
        self, given: Mapping[str, object], block: str, tail: str, path: str, scope: Scope
    ) -> tuple[PlacedArgument, ...]:
        """All arguments of one object."""
        start = f"{tail}_" if tail else ""
        return tuple(
            self.argument(name, value, block, start + name, f"{path}.{name}", scope) for name, value in given.items()
        )

    def _reference(self, name: str, value: Reference, path: str, scope: Scope) -> PlacedArgument:
        source = self._lookup(value.ref, f"{path}.ref", scope)
        if source is None:
            return PlacedArgument(name, path=path)
        free = [c for c in source.conditions if widened((c,), scope.conditions) != (c,)]
        if free:
            message = f"{source.name!r} exists only for some values of {free[0].parent!r}, this field always"
            self.problem(f"{path}.ref", f"{message}: refer to another hyperparameter")
        return PlacedArgument(name, hyperparameter=source.name, path=path, factor=value.times)

    def object(self, spec: ObjectSpec, block: str, tail: str, path: str, scope: Scope, head: str = "") -> PlacedObject:
        """A regularizer, schedule, optimizer, …; `head` is the name of its tunable name if it is not `tail`."""
        name = self.argument("name", spec.name, block, head or tail, f"{path}.name", scope)
        arguments = self.arguments(spec.arguments, block, tail, f"{path}.arguments", scope)
        when = []
        for choice, given in spec.when.items():
            where = f"{path}.when.{choice}"
            inside = self._where_chosen(spec, name, choice, where, scope)
            own_tail = f"{tail}_{choice}" if tail else choice
            when.append((choice, self.arguments(given, block, own_tail.lower(), where, inside)))
        return PlacedObject("name", name, arguments, tuple(when))

    def _where_chosen(self, spec: ObjectSpec, name: PlacedArgument, choice: str, path: str, scope: Scope) -> Scope:
        names = list(spec.name.choices) if isinstance(spec.name, TuneChoice) else [spec.name]
        if choice not in names:
            listed = ", ".join(map(str, names))
            self.problem(path, f"{choice!r} is never chosen here.{suggest(choice, map(str, names))} Chosen: {listed}")
        elif name.hyperparameter is not None:
            return scope.also(Condition(parent=name.hyperparameter, values=(choice,)))
        return scope

    def _inner_layer(self, spec: LayerSpec, block: str, tail: str, path: str, scope: Scope) -> PlacedObject:
        arguments = self.arguments(spec.arguments, block, tail, f"{path}.arguments", scope)
        name = PlacedArgument("layer", plain=spec.layer, path=f"{path}.layer")
        return PlacedObject("layer", name, arguments, layer_name=(spec.name or f"{block}_{tail}") + scope.suffix)


class BlockWalk:
    """The walk over the blocks of one model."""

    def __init__(self, walk: Walk, blocks: Sequence[Block]) -> None:
        """Collect into `walk`."""
        self._walk = walk
        self._blocks = blocks
        self._names = block_names(blocks)

    def run(self) -> PlacedList:
        """Everything in the tree, in order."""
        seen: dict[str, str] = {}
        for path, name in self._names.items():
            if name in seen:
                self._walk.problem(f"model.blocks.{path}.name", f"the name {name!r} is used twice: rename one")
            seen[name] = path
        placed = self._list(self._blocks, "", Scope())
        self._check_names(placed, {})
        return placed

    def _check_names(self, placed: PlacedList, seen: dict[str, str]) -> None:
        """Copies get numbers, which may give the name of another block."""
        for item in placed:
            if seen.setdefault(item.name, item.path) != item.path:
                message = f"a copy of this block is called {item.name!r} like {seen[item.name]}: rename one"
                self._walk.problem(f"{item.path}.name", message)
            if isinstance(item, PlacedMerge):
                for branch in item.branches:
                    self._check_names(branch, seen)

    def _list(self, blocks: Sequence[Block], prefix: str, scope: Scope) -> PlacedList:
        placed: list[PlacedLayer | PlacedMerge] = []
        for index, block in enumerate(blocks):
            if not block.disabled:
                placed += self._block(block, f"{prefix}{index}", scope)
        return tuple(placed)

    def _block(self, block: Block, path: str, scope: Scope) -> PlacedList:
        if isinstance(block, LayerBlock):
            return (self._layer(block, path, scope),)
        if isinstance(block, RepeatBlock):
            return self._repeat(block, path, scope)
        if isinstance(block, OptionalBlock):
            return self._optional(block, path, scope)
        if isinstance(block, OneOfBlock):
            return self._one_of(block, path, scope)
        if isinstance(block, ResidualBlock):
            return (self._residual(block, path, scope),)
        return (self._parallel(block, path, scope),)

    def _layer(self, block: LayerBlock, path: str, scope: Scope) -> PlacedLayer:
        name, where = self._names[path], f"model.blocks.{path}"
        arguments = self._walk.arguments(block.arguments, name, "", f"{where}.arguments", scope)
        return PlacedLayer(block.layer, name + scope.suffix, arguments, scope.conditions, where)

    def _structure(self, value: object, path: str, tail: str, field: str, scope: Scope) -> PlacedArgument:
        return self._walk.argument(field, value, self._names[path], tail, f"model.blocks.{path}.{field}", scope)

    def _repeat(self, block: RepeatBlock, path: str, scope: Scope) -> PlacedList:
        where = f"model.blocks.{path}.repeat"
        count = block.repeat
        placed: list[PlacedLayer | PlacedMerge] = []
        if isinstance(count, int):
            counts, parent = [count], None
        else:
            parent = self._structure(count, path, "count", "repeat", scope).hyperparameter
            counts = [value for value in count.named("count").values() if isinstance(value, int)]
        if not counts or min(counts) < 0:
            worst = min(counts, default=0)
            self._walk.problem(where, f"a block cannot be repeated {worst} times: use whole numbers from 0")
        for copy in range(1, max(counts, default=0) + 1):
            conditions = scope.conditions
            if parent is not None:
                conditions = (*conditions, Condition(parent=parent, values=tuple(n for n in counts if n >= copy)))
            inside = scope.in_copy(copy, block.shared, conditions)
            placed += self._list(block.blocks, f"{path}.blocks.", inside)
        return tuple(placed)

    def _optional(self, block: OptionalBlock, path: str, scope: Scope) -> PlacedList:
        present = self._structure(block.optional, path, "on", "optional", scope)
        if present.hyperparameter is not None:
            scope = scope.also(Condition(parent=present.hyperparameter, values=(True,)))
        elif not block.optional:
            return ()
        return self._list(block.blocks, f"{path}.blocks.", scope)

    def _one_of(self, block: OneOfBlock, path: str, scope: Scope) -> PlacedList:
        names = [branch.name for branch in block.one_of]
        chosen = TuneChoice(choices=tuple(names)) if block.chosen is None else block.chosen
        wanted = [chosen] if isinstance(chosen, str) else [str(choice) for choice in chosen.choices]
        for name in wanted:
            if name not in names:
                message = f"there is no branch {name!r}.{suggest(name, names)} Branches: {', '.join(names)}"
                self._walk.problem(f"model.blocks.{path}.chosen", message)
        parent = self._structure(chosen, path, "", "chosen", scope).hyperparameter
        placed: list[PlacedLayer | PlacedMerge] = []
        for index, branch in enumerate(block.one_of):
            if branch.name in wanted:
                inside = scope.also(Condition(parent=parent, values=(branch.name,))) if parent is not None else scope
                placed += self._list(branch.blocks, f"{path}.one_of.{index}.blocks.", inside)
        return tuple(placed)

    def _residual(self, block: ResidualBlock, path: str, scope: Scope) -> PlacedMerge:
        skip = self._structure(block.residual, path, "skip", "residual", scope)
        if skip.hyperparameter is not None:
            skip = replace(skip, plain=False)
        return PlacedMerge(
            name=self._names[path] + scope.suffix,
            merge=PlacedArgument("merge", plain="add"),
            branches=((), self._list(block.blocks, f"{path}.blocks.", scope)),
            conditions=scope.conditions,
            path=f"model.blocks.{path}",
            projection=block.projection,
            skip=skip,
        )

    def _parallel(self, block: ParallelBlock, path: str, scope: Scope) -> PlacedMerge:
        merge = self._structure(block.merge, path, "merge", "merge", scope)
        if isinstance(block.merge, TuneChoice):
            merge = replace(merge, plain=block.merge.choices[0])
        return PlacedMerge(
            name=self._names[path] + scope.suffix,
            merge=merge,
            branches=tuple(
                self._branch(branch, f"{path}.parallel.{i}.", scope) for i, branch in enumerate(block.parallel)
            ),
            conditions=scope.conditions,
            path=f"model.blocks.{path}",
        )

    def _branch(self, branch: Branch, prefix: str, scope: Scope) -> PlacedList:
        return self._list(branch.blocks, f"{prefix}blocks.", scope)
