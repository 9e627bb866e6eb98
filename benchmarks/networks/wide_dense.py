"""A dense network of a million weights on eight columns."""

import keras
from keras import layers


def build(hp):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # as users write it
    """Three wide layers; the learning rate varies."""
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(1000, activation="relu"),
            layers.Dense(1000, activation="relu"),
            layers.Dense(1),
        ]
    )
    rate = hp.Float("learning_rate", 0.0003, 0.003, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model
