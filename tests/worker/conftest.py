"""Every test of the worker imports TensorFlow."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.tensorflow)
            # Keras hands NumPy arrays to h5py and TensorFlow in a way that NumPy 2 deprecates.
            item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"))
