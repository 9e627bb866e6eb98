"""Budget and workers as people write them by hand."""

import pytest

from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import load_document, save_document

BASE = "name: s\ndata: {source: {kind: bundled, name: iris}}\n"


def read(tmp_path, search):
    (tmp_path / "study.yaml").write_text(f"{BASE}search: {search}")
    return load_document(tmp_path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("22:30", "22:30"),  # YAML reads it as 1350
        ("07:00", "07:00"),
        ("0:30", None),
        ("2028-02-29 07:00", "2028-02-29 07:00"),
        ("2026-02-29T07:00", None),  # there is no such day
        ("noon", None),
        ("1440", None),
        ("true", None),
    ],
)
def test_a_time_to_finish_by(tmp_path, written, meant):
    if meant is None:
        with pytest.raises(StudyError, match=r"search.budget.finish_by: a time such as 07:00 .* is needed, not"):
            read(tmp_path, f"{{budget: {{finish_by: {written}}}}}")
        return
    document = read(tmp_path, f"{{budget: {{finish_by: {written}}}}}")
    assert document.search.budget.finish_by == meant
    save_document(document, tmp_path)
    assert load_document(tmp_path) == document


@pytest.mark.parametrize("written", ["0", "65", "many", "true", "1.5"])
def test_workers_that_are_none_are_one_problem(tmp_path, written):
    with pytest.raises(StudyError, match="a whole number from 1 to 64, or auto, is needed") as caught:
        read(tmp_path, f"{{workers: {written}}}")
    assert len(caught.value.problems) == 1


def test_workers(tmp_path):
    assert [read(tmp_path, f"{{workers: {text}}}").search.workers for text in ("3", "'4'", "auto")] == [3, 4, "auto"]
