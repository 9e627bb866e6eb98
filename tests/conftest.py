"""Fixtures that every room uses."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """Nothing of the user's own folders is read or written."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(home))
    return home


@pytest.fixture
def datasets():
    """Real data files that lie beside the checkout on developers' machines; the test skips without them."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip("the folder of real data files is not there")
    return folder
