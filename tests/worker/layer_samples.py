"""A block for every Keras layer that can be used, with data that it fits, and one of its fields tunable."""

from tunerstudio.study.catalogue import ArgumentInfo, ClassInfo

SHAPES = ((6, 4), (8, 8, 3), (6, 6, 6, 2), (8,), (4, 6, 6, 2, 2), (32,))
"""Shapes of one row, tried in this order."""

FIRST_SHAPES: dict[str, tuple[int, ...]] = {
    "CategoryEncoding": (8,),
    "ContrastLimitedAdaptiveHistogramEqualization": (16, 16, 3),
    "MelSpectrogram": (4096,),
}
"""Where the order does not find what a layer is made for."""

GIVEN: dict[str, object] = {
    "activation": "relu",
    "axes": 1,
    "dims": [1],
    "equation": "abc,cd->abd",
    "factor": 0.2,
    "filters": 2,
    "head_dim": 2,
    "height": 4,
    "height_factor": 0.2,
    "input_dim": 9,
    "key_dim": 2,
    "kernel_size": 2,
    "n": 2,
    "num_bins": 4,
    "num_heads": 2,
    "num_key_value_heads": 1,
    "num_query_heads": 2,
    "num_tokens": 9,
    "output_dim": 3,
    "output_shape": [6, 5],
    "output_size": 2,
    "pool_size": 2,
    "rate": 0.2,
    "scale": 0.5,
    "sequence_length": 6,
    "stddev": 0.1,
    "target_shape": [-1],
    "units": 3,
    "width": 4,
    "width_factor": 0.2,
}
"""Values for required arguments, by name."""

_INNER = {
    "Bidirectional": {"layer": "LSTM", "arguments": {"units": 3}},
    "RNN": {"layer": "GRUCell", "arguments": {"units": 3}},
    "SpectralNormalization": {"layer": "Dense", "arguments": {"units": 3}},
    "TimeDistributed": {"layer": "Dense", "arguments": {"units": 3}},
}


_MORE = {
    "GroupNormalization": {"groups": 2},
    "RandomPosterization": {"factor": 4},
    "STFTSpectrogram": {"frame_length": 4, "frame_step": 2, "fft_length": 4},
}
"""What the defaults of some layers need for small data."""


def block_of(info: ClassInfo) -> dict:
    """The layer with its required arguments, and one more field given its default in so many words."""
    arguments: dict = {}
    for argument in info.arguments:
        if argument.type == "layer" and argument.required:
            arguments[argument.name] = _INNER[info.name]
        elif argument.required:
            arguments[argument.name] = argument.choices[0] if argument.choices else GIVEN[argument.name]
    arguments |= _MORE.get(info.name, {})
    plain = next(
        (a for a in info.arguments if not a.required and a.default is not None and a.name not in arguments), None
    )
    if plain is not None:
        arguments[plain.name] = plain.default
    return {"layer": info.name, "name": "tried", "arguments": arguments}


def tunable_field(info: ClassInfo, block: dict) -> tuple[str, dict] | None:
    """The first field that can vary without another one, and a range for it; None if there is none."""
    for argument in info.arguments:
        made = _range(argument, block["arguments"].get(argument.name, argument.default))
        if made is not None:
            return argument.name, made
    return None


_FIXED = {
    "trainable",
    "axis",
    "seed",
    "dtype",
    "sparse",
    "ragged",
    "return_state",
    "stateful",
    "unroll",
    "mask_zero",
    "data_format",
}
_FIXED |= {
    "num_query_heads",
    "renorm",
    "batch_size",
    "rank",
    "bounding_box_format",
    "lora_rank",
    "groups",
    "frame_length",
    "frame_step",
    "fft_length",
}
"""Fields that need another field changed as well, or are no choice of a search."""


def _range(argument: ArgumentInfo, value: object) -> dict | None:
    if argument.name in _FIXED:
        return None
    if isinstance(value, bool):
        return {"tune": "boolean", "default": value}
    if argument.type == "shape" and argument.name in {"cropping", "padding", "size"} and isinstance(value, list):
        return {"tune": "int", "min": 1, "max": 2}
    if argument.type in {"int", "shape"} and isinstance(value, int) and value > 0:
        return {"tune": "int", "min": value, "max": value + 1}
    if argument.type == "float" and isinstance(value, float | int):
        return {"tune": "float", "min": float(value) / 2, "max": float(value) or 0.5}
    if argument.type == "choice" and len(argument.choices) > 1 and value in argument.choices:
        return {"tune": "choice", "choices": list(argument.choices[:2])}
    if argument.type == "activation" and isinstance(value, str):
        return {"tune": "choice", "choices": ["relu", "tanh"]}
    if argument.type == "initializer" and isinstance(value, str):
        return {"tune": "choice", "choices": ["glorot_uniform", "he_normal"]}
    return None
