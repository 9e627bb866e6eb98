"""What an argument of a layer, optimizer or loss can hold besides a plain or tunable value.

- `{name: l2, arguments: {l2: {tune: float, min: 1e-5, max: 1e-2}}}`: an object such as a regularizer or a schedule;
- `{layer: LSTM, arguments: {units: 32}}`: a layer inside a wrapper;
- `{ref: width, times: 0.5}`: the value of another hyperparameter, scaled.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag

from tunerstudio.study.tunable import AnyTunable, Tunable, TunableName


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(_Model):
    """The value of a hyperparameter that is defined elsewhere."""

    ref: str = Field(min_length=1, description="Name of the hyperparameter; inside a repeat that of the same copy.")
    times: float = Field(default=1.0, gt=0, description="Factor; a whole number stays whole and at least 1.")


class ObjectSpec(_Model):
    """A regularizer, constraint, initializer, schedule or loss with its arguments.

    `name` may be tunable; what only some of the choices take stands under `when`.
    """

    name: TunableName = Field(description="As Keras calls it, such as l2 or ExponentialDecay; none: nothing.")
    arguments: dict[str, Argument] = Field(default_factory=dict, description="Arguments that every choice takes.")
    when: dict[str, dict[str, Argument]] = Field(
        default_factory=dict, description="By choice of the name: arguments that this one alone takes."
    )


class LayerSpec(_Model):
    """A Keras layer with its arguments."""

    layer: str = Field(min_length=1, description="Class name in keras.layers, such as Dense.")
    name: str | None = Field(default=None, description="Unique name; default: the class in lower case, numbered.")
    arguments: dict[str, Argument] = Field(default_factory=dict, description="Constructor arguments.")


def _argument_tag(value: Any) -> str:
    if isinstance(value, BaseModel):
        kinds = {Reference: "reference value", ObjectSpec: "object value", LayerSpec: "layer value"}
        return next((tag for kind, tag in kinds.items() if isinstance(value, kind)), "tunable")
    if not isinstance(value, dict):
        return "plain"
    for key, tag in (("tune", "tunable"), ("ref", "reference value"), ("layer", "layer value")):
        if key in value:
            return tag
    return "object value" if "name" in value and set(value) <= {"name", "arguments", "when"} else "plain"


Argument = Annotated[
    Annotated[Tunable, Tag("tunable")]
    | Annotated[Reference, Tag("reference value")]
    | Annotated[LayerSpec, Tag("layer value")]
    | Annotated[ObjectSpec, Tag("object value")]
    | Annotated[JsonValue, Tag("plain")],
    Discriminator(_argument_tag),
]
"""A field of a layer, optimizer or estimator."""

ObjectSpec.model_rebuild()
LayerSpec.model_rebuild()


def varies(value: object) -> bool:
    """Whether something inside an argument is tunable or follows something tunable."""
    if isinstance(value, LayerSpec):
        return any(varies(inner) for inner in value.arguments.values())
    if isinstance(value, ObjectSpec):
        inside = [*value.arguments.values(), *(v for group in value.when.values() for v in group.values())]
        return varies(value.name) or any(varies(inner) for inner in inside)
    return isinstance(value, AnyTunable | Reference)
