import sys

import pytest

from tunerstudio.algorithms.discovery import find_algorithms, get, inspect_folder
from tunerstudio.study.errors import StudyError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "plugins"
    folder.mkdir(parents=True)
    return folder


def test_users_plugins_are_found_beside_the_shipped(home, write_plugin):
    write_plugin("def propose(space, history, rng, options): return {}").rename(home / "mine")
    (home / ".hidden").mkdir()
    (home / "broken").mkdir()
    found = {info.id: info for info in find_algorithms()}
    assert found["mine"].origin == "user"
    assert found["mine"].usable
    assert found["random"].origin == "shipped"
    assert not found["broken"].usable
    assert found["broken"].name == "broken"
    assert "cannot be read" in found["broken"].problems[0]
    assert ".hidden" not in found


def test_without_a_users_folder_there_are_the_shipped(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "nowhere"))
    assert all(info.origin != "user" for info in find_algorithms())


def test_an_id_taken_already_is_a_problem_of_the_later_one(home, write_plugin):
    folder = write_plugin("def propose(space, history, rng, options): return {}")
    manifest = folder / "MANIFEST.toml"
    manifest.write_text(manifest.read_text().replace('id = "mine"', 'id = "random"'))
    folder.rename(home / "mine")
    mine = next(info for info in find_algorithms() if info.origin == "user")
    assert "is already taken by 'Random search'" in mine.problems[0]
    assert get("random").origin == "shipped"


def test_missing_package_is_a_problem(write_plugin):
    info = inspect_folder(write_plugin("", more='needs = ["numpy", "no_such_package_xyz.part"]'))
    assert info.problems == ("needs: the Python package 'no_such_package_xyz.part' is not installed",)


def test_unknown_and_broken_ids_are_explained(home):
    with pytest.raises(StudyError, match=r"search.algorithm.id: there is no .* 'randon'. Did you mean 'random'\?"):
        get("randon")
    with pytest.raises(StudyError, match=r"Known are .*grid"):
        get("zzzzzz")
    (home / "broken").mkdir()
    with pytest.raises(StudyError, match=r"'broken' in .* cannot be used: MANIFEST.toml cannot be read"):
        get("broken")


def test_installed_packages_name_their_folder_by_entry_point(tmp_path, monkeypatch, write_plugin):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    site = tmp_path / "site"
    package = site / "their_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    write_plugin("def propose(space, history, rng, options): return {}").rename(package / "algorithm")
    info = site / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[tunerstudio.algorithms]\nmine = their_package.algorithm\nbare = their_package\nlost = no_such_package\n"
    )
    monkeypatch.syspath_prepend(str(site))
    installed = {info.id: info for info in find_algorithms() if info.origin == "installed"}
    assert installed["mine"].usable
    assert installed["mine"].folder == package / "algorithm"
    assert "has no MANIFEST.toml" in installed["bare"].problems[0]
    assert "cannot be found" in installed["lost"].problems[0]
    assert "their_package" not in sys.modules
