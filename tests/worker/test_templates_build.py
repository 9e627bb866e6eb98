"""Every network that a template can stand for can be built, and its code does the same."""

import random

import pytest

from tests.worker.code_equivalence import check_document
from tunerstudio.study.data import BundledSource, Column, Data, FileSource, ImageShape, Window
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import search_space
from tunerstudio.study.space_samples import space_samples
from tunerstudio.study.templates import new_document, template_names
from tunerstudio.worker.layer_errors import LayerError
from tunerstudio.worker.space_shapes import Inference

TABLE = Data(source=BundledSource(name="wine"), task="multiclass", columns=(Column(name="a"), Column(name="b")))
TEXT = TABLE.model_copy(update={"source": FileSource(path="t"), "columns": (Column(name="say", kind="text"),)})
SHAPES = {
    "table": (TABLE, [(1,), (13,)]),
    "image": (TABLE.model_copy(update={"image": ImageShape(height=8, width=8)}), [(8, 8, 1), (28, 28, 3), (5, 7, 1)]),
    "text": (TEXT, [(1,), (40,)]),
    "series": (TABLE.model_copy(update={"window": Window()}), [(2, 1), (24, 5)]),
    "itself": (TABLE.model_copy(update={"reconstruct": True, "task": "regression"}), [(2,), (8, 8, 1)]),
}


def networks(data):
    documents = [new_document("s", data, info.name) for info in template_names(data)]
    return [document for document in documents if isinstance(document.model, BlocksModel)]


@pytest.mark.parametrize("look", SHAPES)
def test_no_configuration_of_a_template_is_invalid(look):
    data, shapes = SHAPES[look]
    for document in networks(data):
        for shape in shapes:
            inference = Inference(document.model, shape, 3)
            for sample in space_samples(search_space(document), (), count=20):
                assert inference.network(sample.values).weights > 0, (document.model, sample)


@pytest.mark.parametrize("look", ["image", "text", "series", "itself"])
def test_exported_templates_are_the_same_networks(look):
    data, shapes = SHAPES[look]
    for document in networks(data):
        check_document(document, shapes[-1] if look != "image" else shapes[0], data.task, 1, random.Random(3))


def test_an_embedding_without_a_place_for_every_word_is_found_before_training():
    document = new_document("s", TEXT, "text_convolution")
    values = search_space(document).defaults()
    assert Inference(document.model, (40,), 3, words=5000).network(values).weights > 5000
    with pytest.raises(LayerError, match="has places for 5000 words, but the text has 5001"):
        Inference(document.model, (40,), 3, words=5001).network(values)
