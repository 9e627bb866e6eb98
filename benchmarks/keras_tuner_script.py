"""Any `build(hp)` as a plain Keras Tuner script: the other side of the model benchmark.

Usage: python benchmarks/keras_tuner_script.py NETWORK.py DATA.parquet METRIC DIRECTION EPOCHS TRIALS FOLDER
Prints one JSON object: seconds of the search, the best score and the most memory of the process in MB.
"""

import importlib.util
import json
import resource
import sys
import time

import keras_tuner
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def main(network: str, data: str, metric: str, direction: str, epochs: int, trials: int, folder: str) -> None:
    """Search and print."""
    spec = importlib.util.spec_from_file_location("network", network)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = pd.read_parquet(data).to_numpy()
    x_train, x_val, y_train, y_val = train_test_split(table[:, :-1], table[:, -1], test_size=0.2, random_state=0)
    scaler = StandardScaler().fit(x_train)
    x_train, x_val = scaler.transform(x_train).astype(np.float32), scaler.transform(x_val).astype(np.float32)
    tuner = keras_tuner.RandomSearch(
        module.build,
        objective=keras_tuner.Objective(metric, direction),
        max_trials=trials,
        seed=0,
        directory=folder,
        project_name="network",
        overwrite=True,
    )
    began = time.perf_counter()
    tuner.search(x_train, y_train, epochs=epochs, batch_size=32, validation_data=(x_val, y_val), verbose=0)
    seconds = time.perf_counter() - began
    result = {
        "search_s": seconds,
        "best": tuner.oracle.get_best_trials(1)[0].score,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(f"\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6]), sys.argv[7])
