"""The guide for plugin authors is true: its example is the shipped one and runs."""

import re
import tomllib
from pathlib import Path

from tunerstudio.algorithms.conformance import check_algorithm
from tunerstudio.algorithms.discovery import inspect_folder
from tunerstudio.algorithms.manifest import CAPABILITIES
from tunerstudio.algorithms.skeleton import write_skeleton

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_example_is_the_shipped_plugin():
    assert blocks("python")[0] == (ROOT / "plugins/annealing/annealing.py").read_text(encoding="utf-8")
    shipped = tomllib.loads((ROOT / "plugins/annealing/MANIFEST.toml").read_text(encoding="utf-8"))
    shown = tomllib.loads(blocks("toml")[0])
    assert {**shown, "description": ""} == {**shipped, "description": ""}


def test_following_the_guide_gives_a_plugin_that_passes(tmp_path):
    (tmp_path / "MANIFEST.toml").write_text(blocks("toml")[0], encoding="utf-8")
    (tmp_path / "annealing.py").write_text(blocks("python")[0], encoding="utf-8")
    assert check_algorithm(inspect_folder(tmp_path), spaces=40) == []


def test_the_pruner_of_the_guide_passes(tmp_path):
    skeleton = write_skeleton("Guide", tmp_path, pruner=True)
    code = next(block for block in blocks("python") if "observe_epoch" in block)
    (skeleton / "guide.py").write_text(code, encoding="utf-8")
    assert check_algorithm(inspect_folder(skeleton)) == []


def test_every_capability_is_in_the_reference():
    assert all(f"`{capability}`" in GUIDE for capability in CAPABILITIES)
