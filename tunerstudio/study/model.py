"""The model of a study: blocks (the layer editor), code (the user's Python file) or an estimator (scikit-learn)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from tunerstudio.study.tunable import Argument, TunableInt


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerBlock(_Model):
    """One Keras layer. Input and output layers are not listed: they follow from the data and the task."""

    layer: str = Field(min_length=1, description="Class name in keras.layers, such as Dense.")
    name: str | None = Field(default=None, description="Unique name; default: the class in lower case, numbered.")
    arguments: dict[str, Argument] = Field(default_factory=dict, description="Constructor arguments.")


class RepeatBlock(_Model):
    """The blocks inside, n times; n may be tunable."""

    repeat: TunableInt = Field(description="How many copies; 0 is allowed.")
    name: str | None = Field(default=None, description="Unique name; the hyperparameter is <name>_count.")
    shared: bool = Field(default=False, description="True: all copies take the same values; False: each its own.")
    blocks: tuple[Block, ...] = Field(min_length=1)


def _block_tag(value: Any) -> str:
    is_repeat = isinstance(value, RepeatBlock) or (isinstance(value, dict) and "repeat" in value)
    return "repeat block" if is_repeat else "layer block"


Block = Annotated[
    Annotated[LayerBlock, Tag("layer block")] | Annotated[RepeatBlock, Tag("repeat block")],
    Discriminator(_block_tag),
]
RepeatBlock.model_rebuild()


class Optimizer(_Model):
    """A Keras optimizer."""

    name: Argument = Field(default="Adam", description="Class name in keras.optimizers; may be a tunable choice.")
    arguments: dict[str, Argument] = Field(default_factory=dict)


class BlocksModel(_Model):
    """A network drawn from blocks."""

    kind: Literal["blocks"] = "blocks"
    blocks: tuple[Block, ...] = ()
    optimizer: Optimizer = Optimizer()
    loss: str = Field(default="auto", description="Name of a Keras loss; auto: from the task.")
    metrics: tuple[str, ...] = Field(default=(), description="Names of Keras metrics; empty: from the task.")


class CodeModel(_Model):
    """A Python file with `build(hp)` or a `keras_tuner.HyperModel` subclass. Runs only in a trusted study."""

    kind: Literal["code"] = "code"
    file: str = Field(min_length=1, description="Absolute, or relative to the study folder.")
    entry: str | None = Field(default=None, description="Function or class; null: build, or the only HyperModel.")


class EstimatorModel(_Model):
    """A scikit-learn estimator, scored by cross-validation on the training and validation rows together."""

    kind: Literal["estimator"] = "estimator"
    estimator: str = Field(min_length=1, description="Class name in scikit-learn, such as RandomForestClassifier.")
    arguments: dict[str, Argument] = Field(default_factory=dict)
    folds: int = Field(default=5, ge=2, le=50)


ModelSpec = Annotated[BlocksModel | CodeModel | EstimatorModel, Field(discriminator="kind")]
