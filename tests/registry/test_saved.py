import pytest

from tests.registry.cards import make_card
from tunerstudio.registry.card import CARD_FILE, write_card
from tunerstudio.registry.saved import list_saved, read_saved


def save(study, name, **changes):
    folder = study / "models" / name
    folder.mkdir(parents=True)
    card = make_card(**changes)
    write_card(folder, card)
    (folder / "model.keras").write_bytes(b"weights")
    return folder


def test_a_study_without_models(tmp_path):
    assert list_saved(tmp_path) == []


def test_best_first_and_damaged_last(tmp_path):
    save(tmp_path, "trial-0003", trial=3, score=0.90)
    save(tmp_path, "trial-0012", trial=12, score=0.97)
    (tmp_path / "models" / "trial-0001").mkdir()
    (tmp_path / "models" / ".trial-0009-xyz").mkdir()
    (tmp_path / "models" / "notes.txt").write_text("mine")
    found = list_saved(tmp_path)
    assert [model.folder.name for model in found] == ["trial-0012", "trial-0003", "trial-0001"]
    assert found[0].model_file.read_bytes() == b"weights"
    assert found[0].page.name == "card.html"
    assert found[0].problem == ""
    assert "has no card.json" in found[2].problem


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "damaged"), (b"{}", "damaged"), (b"\xff\xfe\x00", "damaged"), (b'{"study": 3}', "study")],
)
def test_damaged_cards_say_so(tmp_path, content, words):
    folder = save(tmp_path, "trial-0003")
    (folder / CARD_FILE).write_bytes(content)
    model = read_saved(folder)
    assert model.card is None
    assert model.model_file is None
    assert words in model.problem
    assert "trial-0003" in model.problem


def test_a_missing_model_file_is_told(tmp_path):
    folder = save(tmp_path, "trial-0003")
    (folder / "model.keras").unlink()
    assert "model.keras" in read_saved(folder).problem


def test_a_card_cannot_point_elsewhere(tmp_path):
    folder = save(tmp_path, "trial-0003", file="../../study.yaml")
    assert "outside" in read_saved(folder).problem


def test_scores_where_less_is_better(tmp_path):
    objective = {"name": "val_loss", "direction": "min"}
    save(tmp_path, "a", score=0.9, objective=objective)
    save(tmp_path, "b", score=0.1, objective=objective)
    assert [model.folder.name for model in list_saved(tmp_path)] == ["b", "a"]
