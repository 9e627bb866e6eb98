"""Networks that would take word numbers for amounts."""

import pytest

from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.checks import model_problems
from tunerstudio.study.files import parse_document

CATALOGUE = load_catalogue()
EMBED = {"layer": "Embedding", "arguments": {"input_dim": 5000, "output_dim": 8}}
DENSE = {"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 4}}}
POOL = {"layer": "GlobalMaxPooling1D"}


def told(blocks, kind="text"):
    columns = [{"name": "say", "kind": kind}, {"name": "y", "role": "target"}]
    data = {"source": {"kind": "file", "path": "a.tsv"}, "columns": columns}
    study = parse_document({"name": "s", "data": data, "model": {"kind": "blocks", "blocks": blocks}})
    return [(problem.field, problem.message.split(":")[0]) for problem in model_problems(study, CATALOGUE)]


WRONG = "the input is numbers of words, which are no amounts"


@pytest.mark.parametrize(
    ("blocks", "field"),
    [
        ([], "model.blocks"),
        ([DENSE], "model.blocks.0"),
        ([{"repeat": 2, "blocks": [DENSE]}, EMBED], "model.blocks.0.blocks.0"),
        (
            [{"parallel": [{"name": "a", "blocks": [EMBED, POOL]}, {"name": "b", "blocks": [DENSE]}]}],
            "model.blocks.0.parallel.1.blocks.0",
        ),
    ],
)
def test_a_text_needs_an_embedding_first(blocks, field):
    assert told(blocks) == [(field, WRONG)]
    assert told(blocks, kind="categorical") == []


def test_an_embedding_at_the_beginning_of_every_branch_is_right():
    branches = [{"name": "a", "blocks": [EMBED, POOL]}, {"name": "b", "blocks": [EMBED, {"layer": "Flatten"}]}]
    assert told([EMBED, POOL, DENSE]) == []
    assert told([{"parallel": branches}]) == []
