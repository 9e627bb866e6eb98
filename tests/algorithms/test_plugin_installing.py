"""Plugins come from folders and zips, are switched, go to the trash; nothing is written outside, nothing is run."""

import stat
import zipfile

import pytest

from tunerstudio.algorithms import installing
from tunerstudio.algorithms.discovery import find_algorithms, find_plugins, get, inspect_folder
from tunerstudio.algorithms.installing import PluginError
from tunerstudio.algorithms.skeleton import plugin_id_from, write_skeleton
from tunerstudio.algorithms.switches import disabled_plugins
from tunerstudio.study.errors import StudyError

CODE = "raise RuntimeError('nobody may run this')\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def zipped(tmp_path, write_plugin):
    """Make a zip of a plugin; `where` is the folder inside, `more` further members."""

    def make(where="mine/", more=()):
        folder = write_plugin(CODE)
        path = tmp_path / "mine.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"{where}{file.name}")
            for name in more:
                archive.writestr(name, "x")
        return path

    return make


def install(source):
    with installing.opened(source) as candidate:
        return installing.install(candidate), candidate


def test_a_folder_is_installed_without_what_python_made_of_it(home, write_plugin):
    source = write_plugin(CODE)
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "mine.cpython-311.pyc").write_bytes(b"x")
    (source / ".git").mkdir()
    (source / "parts").mkdir()
    (source / "parts" / "helper.py").write_text("x = 1\n")
    folder, candidate = install(source)
    assert folder == home / "plugins" / "mine"
    assert candidate.code == ("mine.py", "parts/helper.py")
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "MANIFEST.toml",
        "mine.py",
        "parts/helper.py",
    ]
    assert get("mine").folder == folder
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("where", ["", "mine/", "some name/"])
def test_a_zip_is_installed(home, zipped, where):
    folder, _ = install(zipped(where))
    assert sorted(path.name for path in folder.iterdir()) == ["MANIFEST.toml", "mine.py"]


@pytest.mark.parametrize(
    "name", ["../evil.py", "mine/../../evil.py", "/tmp/evil.py", "C:/evil.py", "..\\evil.py", "mine\\..\\..\\evil.py"]
)
def test_a_zip_that_would_write_elsewhere_is_refused(home, zipped, tmp_path, name):
    with pytest.raises(PluginError, match="is dangerous: it would write to"):
        install(zipped(more=[name]))
    assert not list(tmp_path.rglob("evil.py"))
    assert find_algorithms()[-1].origin == "shipped"


def test_a_zip_with_a_link_is_refused(home, zipped):
    path = zipped()
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("mine/link.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(PluginError, match=r"holds the link mine/link.py"):
        install(path)


def test_a_zip_that_grows_too_large_is_refused(home, zipped, monkeypatch):
    monkeypatch.setattr(installing, "_MOST_BYTES", 100)
    with pytest.raises(PluginError, match="too large for a plugin"):
        install(zipped())


def test_what_is_no_plugin_is_said(home, tmp_path, zipped):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(PluginError, match="is neither a folder nor a zip file"):
        install(tmp_path / "notes.txt")
    (tmp_path / "bad.zip").write_text("no zip")
    with pytest.raises(PluginError, match=r"bad.zip cannot be unpacked: File is not a zip file"):
        install(tmp_path / "bad.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(PluginError, match=r"holds no MANIFEST.toml"):
        install(tmp_path / "empty.zip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "MANIFEST.toml").write_text('id = "x"\n')
    with pytest.raises(PluginError, match="folder is no plugin that works: name: this field is required; description"):
        install(tmp_path / "folder")


def test_an_id_of_the_shipped_ones_is_refused(home, write_plugin):
    folder = write_plugin(CODE)
    manifest = folder / "MANIFEST.toml"
    manifest.write_text(manifest.read_text().replace('id = "mine"', 'id = "random"'))
    with pytest.raises(PluginError, match="the id 'random' is taken by 'Random search' already"):
        install(folder)


def test_a_newer_version_replaces_the_older_which_goes_to_the_trash(home, write_plugin):
    folder, _ = install(write_plugin("OLD = 1\n"))
    again, candidate = install(write_plugin("NEW = 1\n"))
    assert again == folder
    assert candidate.replaces.folder == folder
    assert (folder / "mine.py").read_text() == "NEW = 1\n"
    (old,) = installing.trash_folder().iterdir()
    assert (old / "mine.py").read_text() == "OLD = 1\n"
    with pytest.raises(PluginError, match="lies in the plugin folder: it is installed"):
        install(folder)


def test_a_missing_package_does_not_keep_it_from_being_installed(home, write_plugin):
    _, candidate = install(write_plugin(CODE, more='needs = ["no_such_package_xyz"]'))
    assert "no_such_package_xyz" in candidate.info.problems[0]


def test_removed_plugins_lie_in_the_trash(home, write_plugin):
    folder, _ = install(write_plugin(CODE))
    place = installing.remove("mine")
    assert not folder.exists()
    assert (place / "mine.py").read_text() == CODE
    install(write_plugin(CODE))
    assert installing.remove("mine") != place  # within the same second too
    with pytest.raises(PluginError, match="there is no plugin 'mine'"):
        installing.remove("mine")
    with pytest.raises(PluginError, match="Random search comes with the program and cannot be removed"):
        installing.remove("random")


def test_what_is_switched_off_is_listed_but_cannot_be_used(home):
    installing.switch("tpe", False)
    info = next(info for info in find_plugins() if info.id == "tpe")
    assert (info.enabled, info.usable, info.problems) == (False, False, ())
    with pytest.raises(StudyError, match=r"the search algorithm 'tpe' in .* it is switched off \(.*tunerstudio plugin"):
        get("tpe")
    installing.switch("tpe", True)
    assert get("tpe").usable
    with pytest.raises(PluginError, match=r"there is no plugin 'tpa'. Did you mean 'tpe'"):
        installing.switch("tpa", True)


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"disabled": 3}'])
def test_a_damaged_list_of_switches_switches_nothing_off(home, text):
    home.mkdir(parents=True)
    (home / "plugins.json").write_text(text)
    assert disabled_plugins() == frozenset()


@pytest.mark.parametrize(
    ("name", "expected"), [("Tabu search", "tabu_search"), ("  My-2nd  try! ", "my_2nd_try"), ("class", "class_plugin")]
)
def test_ids_follow_from_names(name, expected):
    assert plugin_id_from(name) == expected


def test_names_that_give_no_id(home, tmp_path):
    with pytest.raises(PluginError, match="has to begin with a letter"):
        plugin_id_from("42")
    with pytest.raises(PluginError, match="there is a plugin 'random' already"):
        write_skeleton("Random", tmp_path)
    write_skeleton("Mine", tmp_path)
    with pytest.raises(PluginError, match="is there already: take another name or another folder"):
        write_skeleton("Mine", tmp_path)


@pytest.mark.parametrize("name", ["Tabu search", 'Quoted "name" \\ here'])
@pytest.mark.parametrize("pruner", [False, True])
def test_a_new_plugin_is_complete(home, tmp_path, name, pruner):
    folder = write_skeleton(name, tmp_path, pruner)
    info = inspect_folder(folder)
    assert info.usable, info.problems
    assert info.is_pruner is pruner
    module = info.manifest.module
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["MANIFEST.toml", f"{module}.py", f"test_{module}.py"]
    )
    assert not any("$" in path.read_text() for path in folder.iterdir())
