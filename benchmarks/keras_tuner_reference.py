"""The reference study as a plain Keras Tuner script, written as its user guide teaches: the other side.

Usage: python benchmarks/keras_tuner_reference.py TRIALS FOLDER
Prints one JSON object: seconds of the search, by the clock and of processor time, and the score of every trial.
"""

import json
import sys
import time

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def build_model(hp: keras_tuner.HyperParameters) -> keras.Model:
    """The reference network."""
    model = keras.Sequential([keras.layers.Flatten()])
    model.add(
        keras.layers.Dense(
            hp.Int("dense_1_units", 9, 27, step=3, default=12),
            activation=hp.Choice("dense_1_activation", ["relu", "tanh"], default="relu"),
        )
    )
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Float("learning_rate", 0.001, 0.02, step=0.0005, default=0.003)
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main(trials: int, folder: str) -> None:
    """Search and print."""
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, _, y_rest, _ = train_test_split(x, y, test_size=0.15, random_state=232, stratify=y)
    share = 0.12 / 0.85
    x_train, x_val, y_train, y_val = train_test_split(
        x_rest, y_rest, test_size=share, random_state=232, stratify=y_rest
    )
    scaler = StandardScaler().fit(x_train)
    tuner = keras_tuner.RandomSearch(
        build_model,
        objective="val_accuracy",
        max_trials=trials,
        executions_per_trial=3,
        seed=232,
        directory=folder,
        project_name="reference",
        overwrite=True,
    )
    x_train, x_val = scaler.transform(x_train).astype(np.float32), scaler.transform(x_val).astype(np.float32)
    began, cpu_began = time.perf_counter(), time.process_time()
    tuner.search(x_train, y_train, epochs=15, validation_data=(x_val, y_val), verbose=0)
    searched, cpu_s = time.perf_counter(), time.process_time() - cpu_began
    scores = [trial.score for trial in tuner.oracle.get_best_trials(trials)]
    result = {"search_s": searched - began, "cpu_s": cpu_s, "trials": len(scores), "scores": scores}
    sys.stdout.write(f"\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
