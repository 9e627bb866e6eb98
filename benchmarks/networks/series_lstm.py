"""An LSTM that reads 24 steps of a series and foretells the next."""

import keras
from keras import layers


def build(hp):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # as users write it
    """One LSTM; the learning rate varies."""
    model = keras.Sequential([keras.Input((24,)), layers.Reshape((24, 1)), layers.LSTM(16), layers.Dense(1)])
    rate = hp.Float("learning_rate", 0.001, 0.01, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model
