"""The model of a study: blocks (the layer editor), code (the user's Python file) or an estimator (scikit-learn).

Blocks are a tree of layers and containers. A container is told by its first field: `repeat`, `optional`, `one_of`,
`residual` or `parallel`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from tunerstudio.study.arguments import Argument, LayerSpec, ObjectSpec
from tunerstudio.study.tunable import TunableBool, TunableInt, TunableName, TunableScalar, tunable_or_plain

MERGES = ("concatenate", "add", "average", "maximum", "minimum", "multiply")
"""How parallel branches can come together."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Block(_Model):
    disabled: bool = Field(default=False, description="True: kept in the document, but not part of the network.")


class LayerBlock(LayerSpec, _Block):
    """One Keras layer. Input and output layers are not listed: they follow from the data and the task."""


class RepeatBlock(_Block):
    """The blocks inside, n times; n may be tunable."""

    repeat: TunableInt = Field(description="How many copies; 0 is allowed.")
    name: str | None = Field(default=None, description="Unique name; the hyperparameter is <name>_count.")
    shared: bool = Field(default=False, description="True: all copies take the same values; False: each its own.")
    blocks: tuple[Block, ...] = Field(min_length=1)


class OptionalBlock(_Block):
    """The blocks inside, or nothing."""

    optional: TunableBool = Field(description="Whether the blocks are there; tunable: on or off.")
    name: str | None = Field(default=None, description="Unique name; the hyperparameter is <name>_on.")
    blocks: tuple[Block, ...] = Field(min_length=1)


class ResidualBlock(_Block):
    """The blocks inside, and their input added to their output."""

    residual: TunableBool = Field(description="Whether the input is added; tunable: on or off.")
    name: str | None = Field(default=None, description="Unique name; the hyperparameter is <name>_skip.")
    projection: Literal["auto", "always", "never"] = Field(
        default="auto", description="Linear layer on the input before it is added; auto: only where shapes differ."
    )
    blocks: tuple[Block, ...] = Field(min_length=1)


class Branch(_Model):
    """Blocks with a name: one alternative, or one of several side by side. Without blocks its input passes as it is."""

    name: str = Field(min_length=1, description="Unique among its siblings; a value of the hyperparameter in one_of.")
    blocks: tuple[Block, ...] = ()


class OneOfBlock(_Block):
    """One of several alternatives."""

    one_of: tuple[Branch, ...] = Field(min_length=1)
    chosen: Annotated[
        Annotated[TunableName, Tag("given")] | Annotated[None, Tag("any")],
        Discriminator(lambda value: "any" if value is None else "given"),
    ] = Field(default=None, description="Name of a branch, or a choice of some; null: all are tried, first the first.")
    name: str | None = Field(default=None, description="Unique name; the hyperparameter is called the same.")

    @field_validator("one_of")
    @classmethod
    def _distinct(cls, branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return _with_distinct_names(branches)


class ParallelBlock(_Block):
    """Branches side by side, each with the same input, merged into one."""

    parallel: tuple[Branch, ...] = Field(min_length=1)
    merge: TunableName = Field(default="concatenate", description="One of " + ", ".join(MERGES) + "; may be tunable.")
    name: str | None = Field(default=None, description="Unique name; the hyperparameter is <name>_merge.")

    @field_validator("parallel")
    @classmethod
    def _distinct(cls, branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return _with_distinct_names(branches)

    @field_validator("merge")
    @classmethod
    def _known(cls, merge: TunableName) -> TunableName:
        names = [merge] if isinstance(merge, str) else list(merge.choices)
        wrong = [name for name in names if name not in MERGES]
        if wrong:
            raise ValueError(f"branches cannot be merged by {wrong[0]!r}: use one of {', '.join(MERGES)}")
        return merge


def _with_distinct_names(branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
    names = [branch.name for branch in branches]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two branches are called {name!r}: rename one")
    return branches


Container = RepeatBlock | OptionalBlock | ResidualBlock | OneOfBlock | ParallelBlock

CONTAINERS: dict[str, type[Container]] = {
    "repeat": RepeatBlock,
    "optional": OptionalBlock,
    "residual": ResidualBlock,
    "one_of": OneOfBlock,
    "parallel": ParallelBlock,
}
"""Containers by the field that tells them."""


def _block_tag(value: Any) -> str:
    """A tag with a space: no field of a document can be called like it."""
    if isinstance(value, dict):
        found = next((key for key in CONTAINERS if key in value), "layer")
    else:
        found = next((key for key, kind in CONTAINERS.items() if isinstance(value, kind)), "layer")
    return f"{found} block"


Block = Annotated[
    Annotated[LayerBlock, Tag("layer block")]
    | Annotated[RepeatBlock, Tag("repeat block")]
    | Annotated[OptionalBlock, Tag("optional block")]
    | Annotated[ResidualBlock, Tag("residual block")]
    | Annotated[OneOfBlock, Tag("one_of block")]
    | Annotated[ParallelBlock, Tag("parallel block")],
    Discriminator(_block_tag),
]
Branch.model_rebuild()
for _container in CONTAINERS.values():
    _container.model_rebuild()


class Optimizer(ObjectSpec):
    """A Keras optimizer. What only some of several take stands under `when`: `when: {SGD: {momentum: 0.9}}`."""

    name: TunableName = Field(default="Adam", description="Class name in keras.optimizers; may be a tunable choice.")


def _loss_tag(value: Any) -> str:
    if isinstance(value, ObjectSpec) or (isinstance(value, dict) and "tune" not in value):
        return "object value"
    return tunable_or_plain(value)


Loss = Annotated[
    Annotated[ObjectSpec, Tag("object value")] | Annotated[TunableName, Tag("tunable")] | Annotated[str, Tag("plain")],
    Discriminator(_loss_tag),
]
"""auto, the name of a Keras loss, a choice of names, or a loss with arguments."""

Metric = Annotated[
    Annotated[ObjectSpec, Tag("object value")] | Annotated[str, Tag("plain")],
    Discriminator(lambda value: "plain" if isinstance(value, str) else "object value"),
]
"""The name of a Keras metric, or a metric with (fixed) arguments."""


class BlocksModel(_Model):
    """A network drawn from blocks."""

    kind: Literal["blocks"] = "blocks"
    blocks: tuple[Block, ...] = ()
    optimizer: Optimizer = Optimizer()
    loss: Loss = Field(default="auto", description="Name of a Keras loss, or {name, arguments}; auto: from the task.")
    metrics: tuple[Metric, ...] = Field(default=(), description="Names of Keras metrics; empty: from the task.")


class CodeModel(_Model):
    """A Python file with `build(hp)` or a `keras_tuner.HyperModel` subclass. Runs only in a trusted study."""

    kind: Literal["code"] = "code"
    file: str = Field(min_length=1, description="Absolute, or relative to the study folder.")
    entry: str | None = Field(default=None, description="Function or class; null: build, or the only HyperModel.")
    ranges: dict[str, TunableScalar] = Field(
        default_factory=dict,
        description="By hyperparameter of the code: a smaller range, or the one value that it has; the file stays.",
    )


class EstimatorModel(_Model):
    """A scikit-learn estimator, scored by cross-validation on the training and validation rows together."""

    kind: Literal["estimator"] = "estimator"
    estimator: str = Field(min_length=1, description="Class name in scikit-learn, such as RandomForestClassifier.")
    arguments: dict[str, Argument] = Field(default_factory=dict)
    folds: int = Field(default=5, ge=2, le=50)


ModelSpec = Annotated[BlocksModel | CodeModel | EstimatorModel, Field(discriminator="kind")]
