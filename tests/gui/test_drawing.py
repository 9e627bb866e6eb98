"""The drawing of a network: where the boxes stand, and what a click on one does."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tunerstudio.gui.model_editor.drawing import LayerFacts, NetworkDrawing
from tunerstudio.gui.model_editor.drawing_layout import OUTPUT, places
from tunerstudio.protocol.space import LayerDescription, NetworkDescription
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.hyperparameters import Int, SearchSpace
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import INPUT, resolve_network, search_space

pytestmark = pytest.mark.gui

DENSE = {"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 9}}}
FLATTEN = {"layer": "Flatten"}


def model(*blocks):
    return BlocksModel.model_validate({"blocks": blocks})


def placed(*blocks):
    drawn = model(*blocks)
    network = resolve_network(drawn, search_space(document(drawn)).defaults())
    return {place.name: (place.column, place.row) for place in places(network)}


def document(drawn):
    data = {"source": {"kind": "bundled", "name": "iris"}, "task": "multiclass"}
    return StudyDocument.model_validate({"name": "s", "data": data, "model": drawn.model_dump()})


def test_a_chain_stands_in_one_row():
    assert placed(DENSE, FLATTEN) == {INPUT: (0, 0), "dense_1": (1, 0), "flatten_1": (2, 0), OUTPUT: (3, 0)}


def test_branches_stand_below_each_other_and_meet_in_the_first_row():
    parallel = {"parallel": [{"name": "a", "blocks": [DENSE, DENSE]}, {"name": "b", "blocks": [FLATTEN]}]}
    assert placed(parallel) == {
        INPUT: (0, 0),
        "dense_1": (1, 0),
        "dense_2": (2, 0),
        "flatten_1": (1, 1),
        "parallel_1": (3, 0),
        OUTPUT: (4, 0),
    }


def test_an_empty_network_is_input_and_output():
    assert placed() == {INPUT: (0, 0), OUTPUT: (1, 0)}


@pytest.fixture
def drawing(qtbot, theme):
    made = NetworkDrawing(theme)
    qtbot.addWidget(made)
    drawn = model(FLATTEN, DENSE)
    made.show_model(drawn, search_space(document(drawn)))
    made.resize(600, 200)
    made.show()
    return made


def test_default_smallest_and_largest(drawing):
    seen = []
    for index in range(3):
        drawing._which.setCurrentIndex(index)
        drawing._choose()
        seen.append(drawing.values()["dense_1_units"])
    assert seen == [2, 2, 9]


def test_facts_count_only_for_what_is_drawn(drawing):
    layers = (described("flatten_1", "input", (4,)), described("dense_1", "flatten_1", (2,), 10))
    last = described("output", "dense_1", (3,), 9)
    network = NetworkDescription(values={"dense_1_units": 5}, input_shape=(4,), layers=(*layers, last), weights=19)
    drawing.show_description(network)
    assert not drawing.canvas.drawn.facts
    drawing.show_description(network.model_copy(update={"values": {"dense_1_units": 2}}))
    assert drawing._total.text() == "19 parameters"
    assert drawing.canvas.drawn.facts["dense_1"] == LayerFacts("2", 10)
    assert drawing.canvas.drawn.facts[OUTPUT] == LayerFacts("3", 9)


def described(name, before, shape, weights=0, layer="Dense"):
    return LayerDescription(name=name, layer=layer, inputs=(before,), shape=shape, weights=weights)


def test_what_code_builds_is_drawn_once_it_is_described(qtbot, theme):
    drawing = NetworkDrawing(theme)
    qtbot.addWidget(drawing)
    with qtbot.waitSignal(drawing.values_changed):
        drawing.show_code("text")
    assert drawing.values() == {}
    space = SearchSpace(hyperparameters=(Int(name="units", min=2, max=9),))
    layers = (described("first", "input", (2,), 10), described("last", "first", (1,), 3))
    network = NetworkDescription(values={"units": 2}, input_shape=(4,), layers=layers, weights=13, space=space)
    drawing.show_description(network)
    assert [place.name for place in drawing.canvas.drawn.places] == [INPUT, "first", "last", OUTPUT]
    assert drawing.canvas.drawn.facts["last"] == LayerFacts("1", 3)
    assert drawing.canvas.drawn.facts[OUTPUT] == LayerFacts("1", 0)
    assert drawing._total.text() == "13 parameters"
    drawing._which.setCurrentIndex(2)
    drawing._choose()
    assert drawing.values() == {"units": 9}
    with qtbot.assertNotEmitted(drawing.values_changed):
        drawing.show_code("text")
    drawing.show_failure("model.py, line 3: no")
    assert drawing._total.text() == "model.py, line 3: no"
    assert drawing.canvas.drawn.places == []
    with qtbot.waitSignal(drawing.values_changed):  # the same code may have been trusted meanwhile
        drawing.show_code("text")


def test_a_click_on_a_box_names_its_block(drawing, qtbot):
    box = drawing.canvas.box(drawing.canvas.drawn.places[2])
    with qtbot.waitSignal(drawing.layer_clicked) as clicked:
        QTest.mouseClick(drawing.canvas, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert clicked.args == ["model.blocks.1"]
