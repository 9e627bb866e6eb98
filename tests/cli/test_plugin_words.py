"""`tunerstudio plugin …`: what is typed and what comes back."""

import io
import json
import zipfile

import pytest

from tunerstudio.algorithms.discovery import find_pruners, get
from tunerstudio.cli import main, plugins


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def told(capsys, *words, code=0):
    capsys.readouterr()
    assert main(["plugin", *words]) == code
    return capsys.readouterr()


def as_json(capsys, *words, code=0):
    return json.loads(told(capsys, *words, "--json", code=code).out)


def test_a_new_plugin_can_be_chosen_at_once(capsys, home):
    out = told(capsys, "new", "Tabu search").out
    assert "tunerstudio plugin check tabu_search" in out
    assert get("tabu_search").folder == home / "plugins" / "tabu_search"
    assert main(["new", "s", "--example", "reference", "--algorithm", "tabu_search"]) == 0
    assert as_json(capsys, "new", "Cutter", "--pruner")["id"] == "cutter"
    assert "cutter" in {info.id for info in find_pruners()}
    assert "there is a plugin 'cutter' already" in told(capsys, "new", "Cutter", code=2).err


def test_a_plugin_may_be_written_elsewhere_and_installed(capsys, home, tmp_path):
    assert "Use it" not in told(capsys, "new", "Mine", "--to", "work").out
    err = told(capsys, "install", "work/mine", code=2).err
    assert "a plugin is Python code that runs with your rights; --trust allows it" in err
    told(capsys, "install", "work/mine", "--trust")
    assert get("mine").folder == home / "plugins" / "mine"
    told(capsys, "remove", "mine")
    with zipfile.ZipFile("mine.zip", "w") as archive:
        for file in (tmp_path / "work" / "mine").iterdir():
            archive.write(file, f"mine/{file.name}")
    assert as_json(capsys, "install", "mine.zip", "--trust")["problems"] == []


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 2), ("no", 2)])
def test_a_person_is_asked_for_trust(capsys, monkeypatch, answer, code):
    told(capsys, "new", "Mine", "--to", "work")
    monkeypatch.setattr(plugins.sys, "stdin", io.StringIO(f"{answer}\n"))
    monkeypatch.setattr(plugins.sys.stdin, "isatty", lambda: True)
    out = told(capsys, "install", "work/mine", code=code).out
    assert "Its code (mine.py, test_mine.py) will run with your rights." in out


def test_the_list_shows_every_plugin_with_what_is_wrong(capsys, home):
    (home / "plugins" / "broken").mkdir(parents=True)
    told(capsys, "disable", "tpe")
    listed = {row["id"]: row for row in as_json(capsys, "list")}
    assert listed["random"]["usable"]
    assert listed["asha"]["kind"] == "pruner"
    assert (listed["tpe"]["enabled"], listed["tpe"]["usable"]) == (False, False)
    assert "cannot be read" in listed["broken"]["problems"][0]
    out = told(capsys, "list").out
    assert "Successive halving (ASHA)" in out
    told(capsys, "enable", "tpe")
    assert get("tpe").usable


def test_check_tells_everything_that_is_wrong(capsys, tmp_path):
    told(capsys, "new", "Mine", "--to", ".")
    module = tmp_path / "mine" / "mine.py"
    module.write_text("def propose(space, history, rng, options): return space.defaults()\n")
    checked = as_json(capsys, "check", "mine", "--quick", code=2)
    assert any("of the trials of seed 0" in problem for problem in checked["problems"])
    manifest = tmp_path / "mine" / "MANIFEST.toml"
    manifest.write_text(manifest.read_text().replace("api = 1", "api = 9").replace('version = "0.1.0"\n', ""))
    assert len(as_json(capsys, "check", "mine", code=2)["problems"]) == 2


def test_a_good_plugin_passes_and_is_ranked(capsys):
    told(capsys, "new", "Mine", "--pruner")
    checked = as_json(capsys, "check", "mine")
    assert checked["problems"] == []
    places = [place["id"] for place in checked["ranking"]]
    assert {"mine", "asha", "median", "percentile", "hyperband_pruning", "none"} == set(places)
    assert places.index("mine") < places.index("none")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "nowhere"], "nowhere is no folder, and there is no plugin 'nowhere'"),
        (["enable", "rondom"], "there is no plugin 'rondom'. Did you mean 'random'?"),
        (["remove", "grid"], "Grid search comes with the program and cannot be removed"),
        (["install", "nowhere.zip"], "nowhere.zip is neither a folder nor a zip file"),
        (["new", "42"], "has to begin with a letter"),
        (["explode"], "invalid choice: 'explode'"),
    ],
)
def test_bad_words_give_a_sentence(capsys, words, message):
    assert message in told(capsys, *words, code=2).err
