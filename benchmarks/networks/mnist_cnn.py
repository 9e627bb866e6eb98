"""A small convolutional network on 28 x 28 pixels."""

import keras
from keras import layers


def build(hp):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # as users write it
    """Two convolutions and a dense layer; the learning rate varies."""
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = hp.Float("learning_rate", 0.0005, 0.005, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
