"""Run with `python -m pytest` in this folder, or check the plugin with `tunerstudio plugin check .`"""

from pathlib import Path

from tunerstudio.algorithms.conformance import check_algorithm
from tunerstudio.algorithms.discovery import inspect_folder


def test_it_does_what_every_algorithm_must_do():
    assert check_algorithm(inspect_folder(Path(__file__).parent), spaces=50) == []
