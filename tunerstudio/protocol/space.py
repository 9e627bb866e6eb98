"""What a check of a whole search space found: shown on the Model page, printed by `tunerstudio check --space`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tunerstudio.study.hyperparameters import Scalar, SearchSpace, Values


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


ConfigurationKind = Literal["default", "smallest", "largest", "edge", "random"]


class CheckedConfiguration(_Model):
    """One configuration that was checked without training.

    Attributes:
        kind: `edge` has one hyperparameter at an end of its range, all others at their defaults.
        problem: Index into `SpaceReport.problems`; None if it can be built.
        parameters: Weights of the network; None if it cannot be built.
        memory_mb: Estimated memory of weights, gradients, optimizer and one batch, in 10^6 bytes.
        flops: Estimated operations per row, forwards.
        seconds_per_epoch: Estimated; None until the speed of this machine was measured.
    """

    kind: ConfigurationKind
    values: Values
    problem: int | None = None
    parameters: int | None = None
    memory_mb: float | None = None
    flops: float | None = None
    seconds_per_epoch: float | None = None


class Narrowing(_Model):
    """A change of one range that would leave out configurations that cannot be built.

    Attributes:
        hyperparameter: Its name.
        minimum, maximum: New ends of a range of numbers; None: as they are.
        choices: The values to keep of a list; empty for numbers.
        constraint: The same as a line of `search.constraints`; "" where none says it.
        sentence: Such as `Keep strides at 2 or less`.
    """

    hyperparameter: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Scalar, ...] = ()
    constraint: str = ""
    sentence: str


class SpaceProblem(_Model):
    """One way in which configurations cannot be built.

    Attributes:
        layer: Name of the layer or block, or the line of code (`model.py, line 12`); "" if it is the whole network.
        field: Of the block in the document, such as `model.blocks.1`; "" for the whole.
        reason: What is wrong, in a sentence.
        repair: What would help, in a sentence.
        line: Of the user's Python file; None where it is no such line.
        count: Configurations checked that fail like this.
        share: Of the random configurations, 0 to 1.
        example: Values that fail.
        narrowings: Changes of ranges that leave these configurations out.
    """

    layer: str
    field: str
    reason: str
    repair: str
    count: int
    share: float
    example: Values
    narrowings: tuple[Narrowing, ...] = ()
    line: int | None = None


class SearchForecast(_Model):
    """How long the whole search will take on this machine: with 80 % confidence between `low_s` and `high_s`."""

    trials: int
    low_s: float
    high_s: float


class SpaceReport(_Model):
    """What is known of a search space; grows while the check goes on.

    Attributes:
        done, total: Configurations checked, and to check.
        combinations: In the whole space; None: uncountable.
        invalid_share: Of the random configurations, 0 to 1.
        problems: The most frequent first.
        configurations: In the order they were checked.
        forecast: None until the speed was measured, and if nothing can be built.
        compile_s: Seconds until the first batch of a new architecture is trained; None until measured.
        took_s: Seconds of the check so far.
        complete: Whether all was checked; False for a report on the way and after a cancel.
    """

    done: int
    total: int
    combinations: float | None = None
    invalid_share: float = 0.0
    problems: tuple[SpaceProblem, ...] = ()
    configurations: tuple[CheckedConfiguration, ...] = ()
    forecast: SearchForecast | None = None
    compile_s: float | None = None
    took_s: float = 0.0
    complete: bool = Field(default=False)


class LayerDescription(_Model):
    """One layer of a network.

    Attributes:
        inputs: Names of the layers it follows; `input` for the network's input.
        shape: Of its output without the rows; None where a size is unknown, and for a layer that cannot be built.
        weights: All of its numbers.
        field: Of its block in the document; "" for the output layer.
        error: Why it cannot be built; "" if it can. Nothing behind it is listed then.
    """

    name: str
    layer: str
    inputs: tuple[str, ...]
    shape: tuple[int | None, ...] | None
    weights: int = 0
    field: str = ""
    error: str = ""


class NetworkDescription(_Model):
    """The network at some values, as far as it can be built.

    Attributes:
        values: All of them.
        input_shape: Without the rows.
        weights: Of all layers.
        space: Of a code model: all that may vary, which only the code knows; None for blocks.
    """

    values: Values
    input_shape: tuple[int, ...]
    layers: tuple[LayerDescription, ...]
    weights: int
    space: SearchSpace | None = None
