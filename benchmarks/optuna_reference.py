"""The reference study as a plain Optuna script around Keras's fit: a second peer.

Usage: python benchmarks/optuna_reference.py TRIALS FOLDER
Needs Optuna (pip install optuna), which the program itself does not.
Prints one JSON object: seconds of the search, by the clock and of processor time, and the score of every trial.
"""

import json
import sys
import time

import keras
import numpy as np
import optuna
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

EXECUTIONS, EPOCHS = 3, 15


def main(trials: int, folder: str) -> None:
    """Search and print; `folder` takes the history."""
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, _, y_rest, _ = train_test_split(x, y, test_size=0.15, random_state=232, stratify=y)
    share = 0.12 / 0.85
    x_train, x_val, y_train, y_val = train_test_split(
        x_rest, y_rest, test_size=share, random_state=232, stratify=y_rest
    )
    scaler = StandardScaler().fit(x_train)
    x_train, x_val = scaler.transform(x_train).astype(np.float32), scaler.transform(x_val).astype(np.float32)

    def objective(trial: optuna.Trial) -> float:
        units = trial.suggest_int("dense_1_units", 9, 27, step=3)
        activation = trial.suggest_categorical("dense_1_activation", ["relu", "tanh"])
        rate = trial.suggest_float("learning_rate", 0.001, 0.02, step=0.0005)
        scores = []
        for _ in range(EXECUTIONS):
            hidden = keras.layers.Dense(units, activation=activation)
            model = keras.Sequential([keras.Input((30,)), hidden, keras.layers.Dense(1, activation="sigmoid")])
            model.compile(keras.optimizers.SGD(rate), "binary_crossentropy", metrics=["accuracy"])
            history = model.fit(x_train, y_train, epochs=EPOCHS, validation_data=(x_val, y_val), verbose=0)
            scores.append(max(history.history["val_accuracy"]))
        return float(np.mean(scores))

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=232),
        storage=f"sqlite:///{folder}/optuna.db",
    )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    began, cpu_began = time.perf_counter(), time.process_time()
    study.optimize(objective, n_trials=trials)
    searched, cpu_s = time.perf_counter(), time.process_time() - cpu_began
    scores = [trial.value for trial in study.trials]
    result = {"search_s": searched - began, "cpu_s": cpu_s, "trials": len(scores), "scores": scores}
    sys.stdout.write(f"\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
