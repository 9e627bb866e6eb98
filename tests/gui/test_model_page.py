"""The Model page: real clicks and keys, the document after each, and undo."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QLineEdit

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor.drag import block_data, class_data
from tunerstudio.gui.model_editor.network_tree import INPUT, OPTIMIZER, OUTPUT, Node
from tunerstudio.gui.model_editor.palette import container_name
from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.pages.model import ModelPage
from tunerstudio.gui.services import Services
from tunerstudio.study.files import load_document
from tunerstudio.study.model import CodeModel, EstimatorModel, LayerBlock, RepeatBlock
from tunerstudio.study.tunable import TuneBoolean, TuneChoice, TuneFloat, TuneInt

pytestmark = pytest.mark.gui
DENSE = Node("block", (0,))


@pytest.fixture
def page(qtbot, theme, study_context):
    made = ModelPage(theme, Services())
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.set_study(study_context)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.set_study(None)
    made.hide()


@pytest.fixture
def model(page, study_context):
    return lambda: study_context.document.model


def layers(model):
    return [block.layer if isinstance(block, LayerBlock) else "Repeat" for block in model().blocks]


def row(page, name):
    return page.layers.inspector.form.rows[name]


def line(widget):
    return next(found for found in widget.findChildren(QLineEdit) if found.isVisibleTo(widget))


def replace_text(editor, text):
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, text) if text else QTest.keyClick(editor, Qt.Key.Key_Delete)


def press(page, key, modifier=Qt.KeyboardModifier.NoModifier):
    page.layers.network.setFocus()
    QTest.keyClick(page.layers.network, key, modifier)


def test_the_network_stands_between_input_and_output(page):
    titles = page.layers.network.titles()
    assert titles[0] == "Input: 1 numeric, 1 categorical"
    assert titles[1].startswith("Dense 1: units 9–27 step 3   relu|tanh")
    assert titles[2:] == ["Output: 1 unit, sigmoid", "Optimizer: SGD   learning_rate 0.001–0.02 log"]
    assert page.status().readiness is Readiness.READY
    assert page.primary_action()[1] == "go:search"


def test_search_the_palette_and_add_with_enter(page, model, qtbot, study_context):
    palette = page.layers.palette_panel
    assert palette.names()[:2] == ["Dense", "Dropout"]
    assert page.layers.network.selected == DENSE
    QTest.keyClicks(palette.search, "batch norm")
    assert palette.names() == ["BatchNormalization"]
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert layers(model) == ["Dense", "BatchNormalization"]
    assert page.layers.network.selected == Node("block", (1,))
    assert study_context.undo_stack.undoText() == "add BatchNormalization"
    study_context.undo_stack.undo()
    assert layers(model) == ["Dense"]


def test_a_layer_that_cannot_stand_here_is_not_added(page, model):
    palette = page.layers.palette_panel
    QTest.keyClicks(palette.search, "Concatenate")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert layers(model) == ["Dense"]


def test_double_click_adds_behind_the_selection(page, model):
    tree = page.layers.palette_panel.list
    item = tree.topLevelItem(0).child(1)
    place = tree.visualItemRect(item).center()
    page.layers.network.select(INPUT)
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert layers(model) == ["Dropout", "Dense"]


def test_keys_duplicate_move_wrap_and_delete(page, model):
    page.layers.add("Dropout", (1,))
    page.layers.network.select(DENSE)
    press(page, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert layers(model) == ["Dense", "Dense", "Dropout"]
    assert [block.name for block in model().blocks] == ["dense_1", "dense_2", "dropout_1"], "names that stay"
    press(page, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert layers(model) == ["Dense", "Dropout", "Dense"]
    press(page, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    press(page, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert layers(model) == ["Dense", "Repeat", "Dropout"]
    assert model().blocks[1].blocks[0].layer == "Dense"
    press(page, Qt.Key.Key_Delete)
    assert layers(model) == ["Dense", "Dropout"]


def test_every_edit_can_be_undone_and_redone(page, model, study_context):
    before = model()
    page.layers.add("Dropout")
    page.layers.add(container_name("repeat"))
    page.layers.move_block((0,), (2,))
    after = model()
    for _ in range(3):
        study_context.undo_stack.undo()
    assert model() == before
    for _ in range(3):
        study_context.undo_stack.redo()
    assert model() == after
    study_context.save_now()
    assert load_document(study_context.folder).model == after


def drop(page, data, position):
    tree = page.layers.network
    event = QDropEvent(
        QPointF(position),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    tree.dropEvent(event)


def place_of(page, node, part):
    rect = page.layers.network.visualItemRect(page.layers.network._items[node])
    return QPoint(rect.center().x(), rect.top() + round(part * rect.height()))


def test_drag_from_the_palette_and_within_the_network(page, model):
    drop(page, class_data("Flatten"), place_of(page, DENSE, 0.1))
    assert layers(model) == ["Flatten", "Dense"]
    drop(page, class_data("Dropout"), place_of(page, OUTPUT, 0.5))
    assert layers(model) == ["Flatten", "Dense", "Dropout"]
    drop(page, block_data((2,)), place_of(page, Node("block", (0,)), 0.1))
    assert layers(model) == ["Dropout", "Flatten", "Dense"]
    page.layers.add(container_name("repeat"), (3,))
    drop(page, block_data((0,)), place_of(page, Node("block", (3,)), 0.9))
    assert layers(model) == ["Flatten", "Dense", "Repeat"]
    assert [block.layer for block in model().blocks[2].blocks] == ["Dropout", "Dense"], "below its edge: the first"
    drop(page, block_data((0,)), place_of(page, Node("block", (2,)), 0.5))
    assert [block.layer for block in model().blocks[1].blocks] == ["Dropout", "Dense", "Flatten"], "on it: the last"
    assert page.layers.network.state() == QAbstractItemView.State.NoState


def test_the_dice_makes_a_field_tunable_and_fixed_again(page, model, study_context):
    page.layers.network.select(DENSE)
    bias = row(page, "use_bias")
    QTest.mouseClick(bias.dice, Qt.MouseButton.LeftButton)
    assert model().blocks[0].arguments["use_bias"] == TuneBoolean(default=True)
    assert study_context.undo_stack.undoText() == "tune use_bias"
    QTest.mouseClick(bias.dice, Qt.MouseButton.LeftButton)
    assert model().blocks[0].arguments["use_bias"] is True
    units = row(page, "units")
    QTest.mouseClick(units.dice, Qt.MouseButton.LeftButton)
    assert model().blocks[0].arguments["units"] == 9
    QTest.mouseClick(units.dice, Qt.MouseButton.LeftButton)
    assert model().blocks[0].arguments["units"] == TuneInt(min=9, max=27, step=3), "the range comes back"


def test_typing_a_range_is_one_undo_step(page, model, study_context):
    page.layers.network.select(DENSE)
    page.activateWindow()
    _, high, step = row(page, "units").findChildren(QLineEdit)[1:4]
    replace_text(high, "72")
    assert model().blocks[0].arguments["units"].max == 72
    replace_text(step, "7")
    assert model().blocks[0].arguments["units"] == TuneInt(min=9, max=72, step=7)
    assert study_context.undo_stack.count() == 2
    study_context.undo_stack.undo()
    study_context.undo_stack.undo()
    assert model().blocks[0].arguments["units"] == TuneInt(min=9, max=27, step=3)
    assert high.text() == "27"


def test_a_wrong_range_is_told_at_the_field_and_kept(page, model):
    page.layers.network.select(DENSE)
    units = row(page, "units")
    low = units.findChildren(QLineEdit)[1]
    replace_text(low, "90")
    assert model().blocks[0].arguments["units"].min == 9
    assert "min (90) is greater than max (27)" in units.trouble
    assert low.text() == "90"
    assert page.status().readiness is Readiness.NEEDS_YOU
    assert "units" in page.status().sentence
    page.layers.add("Dropout", (1,))
    page.layers.network.select(DENSE)
    replace_text(row(page, "units").findChildren(QLineEdit)[1], "0")
    assert "units must be at least 1" in row(page, "units").trouble
    replace_text(row(page, "units").findChildren(QLineEdit)[1], "12")
    assert page.status().readiness is Readiness.READY
    assert model().blocks[0].arguments["units"].min == 12


def test_a_plain_value_is_typed_and_cleared(page, model):
    page.layers.add("Dropout")
    rate = row(page, "rate")
    editor = line(rate)
    replace_text(editor, "0,35")
    assert model().blocks[-1].arguments["rate"] == 0.35
    assert editor.text() == "0,35", "what was typed stays as it was typed"
    replace_text(editor, "2")
    assert rate.trouble == "rate must be at most 1"
    assert model().blocks[-1].arguments["rate"] == 0.35
    replace_text(editor, "")
    assert rate.trouble == "rate is needed"


def test_choices_are_typed_or_picked(page, model):
    page.layers.network.select(DENSE)
    activation = row(page, "activation")
    choices = next(e for e in activation.findChildren(QLineEdit) if e.text() == "relu, tanh")
    replace_text(choices, "relu, selu, relu")
    assert activation.trouble == "relu is listed twice"
    replace_text(choices, "relu, selu")
    assert model().blocks[0].arguments["activation"] == TuneChoice(choices=("relu", "selu"), default="relu")


def test_a_repeat_has_a_tunable_count_and_shared_values(page, model, qtbot):
    page.layers.add(container_name("repeat"), (0,))
    repeat = model().blocks[0]
    assert isinstance(repeat, RepeatBlock)
    assert repeat.repeat == TuneInt(min=1, max=3, default=1)
    assert len([t for t in page.layers.network.titles() if "Dense" in t]) == 2
    shared = page.layers.inspector._shared
    QTest.mouseClick(shared, Qt.MouseButton.LeftButton, pos=QPoint(8, shared.height() // 2))
    assert model().blocks[0].shared
    QTest.mouseClick(row(page, "repeat").dice, Qt.MouseButton.LeftButton)
    assert model().blocks[0].repeat == 1
    replace_text(line(row(page, "repeat")), "4")
    assert model().blocks[0].repeat == 4


def test_the_optimizer_is_chosen_and_may_be_tuned(page, model):
    page.layers.network.select(OPTIMIZER)
    head = page.layers.inspector.head.rows["optimizer"]
    QTest.mouseClick(row(page, "momentum").dice, Qt.MouseButton.LeftButton)
    assert isinstance(model().optimizer.arguments["momentum"], TuneFloat)
    box = head._plain._box
    box.setFocus()
    QTest.keyClicks(box, "Adam")
    QTest.keyClick(box, Qt.Key.Key_Return)
    page.layers.inspector.head_edited.emit("Adam", 1) if model().optimizer.name == "SGD" else None
    assert model().optimizer.name.startswith("Ada")
    assert "momentum" not in model().optimizer.arguments
    assert "learning_rate" in model().optimizer.arguments
    QTest.mouseClick(head.dice, Qt.MouseButton.LeftButton)
    assert isinstance(model().optimizer.name, TuneChoice)


def test_a_name_used_twice_is_told_at_the_block(page, model):
    page.layers.add("Dropout")
    name = page.layers.inspector._name
    replace_text(name, "dense_1")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert model().blocks[1].name == "dense_1"
    assert page.status().readiness is Readiness.NEEDS_YOU
    assert "'dense_1' is used twice" in page.status().sentence


def test_an_unknown_layer_of_a_hand_written_study_is_named(page, study_context):
    document = study_context.document
    wrong = document.model.model_copy(update={"blocks": (LayerBlock(layer="Dens", arguments={"units": 3}),)})
    study_context.edit("by hand", document.model_copy(update={"model": wrong}))
    assert page.status().sentence == "Keras has no layer 'Dens'. Did you mean 'Dense'?"


def test_metrics_and_loss_follow_the_task(page, model):
    page.layers.network.select(OUTPUT)
    boxes = page.layers.inspector._metrics._boxes
    assert list(boxes)[:2] == ["accuracy", "auc"]
    QTest.mouseClick(boxes["auc"], Qt.MouseButton.LeftButton, pos=QPoint(8, boxes["auc"].height() // 2))
    assert model().metrics == ("accuracy", "auc")


def test_tabs_keep_what_they_held(page, model, study_context):
    blocks = model()
    QTest.mouseClick(page.tabs, Qt.MouseButton.LeftButton, pos=page.tabs.tabRect(2).center())
    assert isinstance(model(), EstimatorModel)
    assert model().estimator == "RandomForestClassifier"
    assert page.status().readiness is Readiness.READY
    trees = page.estimator.inspector.form.rows["n_estimators"]
    QTest.mouseClick(trees.dice, Qt.MouseButton.LeftButton)
    assert model().arguments["n_estimators"] == 100
    forest = model()
    QTest.mouseClick(page.tabs, Qt.MouseButton.LeftButton, pos=page.tabs.tabRect(0).center())
    assert model() == blocks
    QTest.mouseClick(page.tabs, Qt.MouseButton.LeftButton, pos=page.tabs.tabRect(2).center())
    assert model() == forest
    study_context.undo_stack.undo()
    assert model() == blocks
    assert page.tabs.currentIndex() == 0


def test_an_objective_that_an_estimator_cannot_log_is_replaced(page, study_context):
    search = study_context.document.search
    losing = search.model_copy(
        update={"objective": search.objective.model_copy(update={"name": "val_loss", "direction": "min"})}
    )
    study_context.edit("loss", study_context.document.model_copy(update={"search": losing}))
    QTest.mouseClick(page.tabs, Qt.MouseButton.LeftButton, pos=page.tabs.tabRect(2).center())
    assert study_context.document.search.objective.name == "val_accuracy"
    study_context.undo_stack.undo()
    assert study_context.document.search.objective.name == "val_loss"


def test_another_estimator_keeps_the_fields_it_shares(page, model):
    QTest.mouseClick(page.tabs, Qt.MouseButton.LeftButton, pos=page.tabs.tabRect(2).center())
    chosen = page.estimator.list
    names = [chosen.item(index).data(Qt.ItemDataRole.UserRole) for index in range(chosen.count())]
    assert "Ridge" not in names, "it predicts numbers"
    chosen.setFocus()
    chosen.setCurrentRow(names.index("ExtraTreesClassifier"))
    assert model().estimator == "ExtraTreesClassifier"
    assert "n_estimators" in model().arguments
    chosen.setCurrentRow(names.index("GaussianNB"))
    assert set(model().arguments) == {"var_smoothing"}, "what suits the other estimator alone is gone"
    replace_text(line(page.estimator.folds), "3")
    assert model().folds == 3


def test_code_is_read_and_never_run(page, model, tmp_path, monkeypatch, qtbot):
    trap = tmp_path / "trap"
    file = tmp_path / "mine.py"
    file.write_text(f"open({str(trap)!r}, 'w').close()\n\ndef build(hp):\n    return None\n")
    QTest.mouseClick(page.tabs, Qt.MouseButton.LeftButton, pos=page.tabs.tabRect(1).center())
    assert model().kind == "blocks", "nothing changes before a file is chosen"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (str(file), ""))
    page.code._empty.clicked.emit()
    assert model() == CodeModel(file=str(file))
    assert page.code.view.toPlainText().startswith("open(")
    assert page.status().readiness is Readiness.READY
    assert not trap.exists()
    file.write_text("def build(hp)\n    return None\n")
    qtbot.waitUntil(lambda: page.status().readiness is Readiness.NEEDS_YOU)
    assert page.code.view.marked_line == 1
    assert "Line 1 is no valid Python" in page.status().sentence


def test_the_entry_of_a_code_model(page, model, tmp_path):
    file = tmp_path / "two.py"
    file.write_text("import keras_tuner\n\nclass One(keras_tuner.HyperModel):\n    pass\n\ndef other(hp):\n    pass\n")
    page.code.take_file(file)
    assert page.status().sentence == "Choose which one to use: One, other."
    page.code._entry.setCurrentIndex(1)
    page.code._entry.activated.emit(1)
    assert model().entry == "One"
    assert page.status().readiness is Readiness.READY


def test_a_file_inside_the_study_stays_relative(page, model, study_context):
    study_context.folder.mkdir(parents=True, exist_ok=True)
    (study_context.folder / "net.py").write_text("def build(hp):\n    pass\n")
    page.code.take_file(study_context.folder / "net.py")
    assert model().file == "net.py"


def test_a_template_replaces_the_network_in_one_step(page, model, study_context):
    before = study_context.document
    page.layers.templates_menu.aboutToShow.emit()
    action = next(a for a in page.layers.templates_menu.actions() if a.text() == "Tabular classifier")
    action.trigger()
    assert layers(model) == ["Repeat"]
    assert study_context.document.search.budget == before.search.budget
    study_context.undo_stack.undo()
    assert study_context.document == before


def test_the_page_shows_another_study_and_none(page, theme, tmp_path, document, qapp):
    other = StudyContext(tmp_path / "other", document.model_copy(update={"name": "other"}))
    page.set_study(other)
    page.layers.add("Flatten")
    assert len(other.document.model.blocks) == 2
    page.set_study(None)
    assert page.status().readiness is Readiness.NOT_YET
    assert page.primary_action() is None
    other.deleteLater()


def test_problems_of_a_field_lead_to_it(page):
    page.show_field("model.optimizer.arguments.learning_rate")
    assert page.layers.network.selected == OPTIMIZER
    page.show_field("model.blocks.0.arguments.units")
    assert page.layers.network.selected == DENSE


def test_a_hidden_page_tells_its_status_and_catches_up_when_it_is_shown(page, study_context):
    page.hide()
    wrong = study_context.document.model.model_copy(update={"blocks": (LayerBlock(layer="Dens"),)})
    study_context.edit("elsewhere", study_context.document.model_copy(update={"model": wrong}))
    assert page.status().readiness is Readiness.NEEDS_YOU
    page.show()
    assert page.layers.network.titles()[1] == "Dens 1"


def test_one_of_two_networks_by_clicks(page, model):
    page.layers.network.select(DENSE)
    page.layers.add(container_name("one_of"))
    assert page.layers.network.selected == Node("block", (1,))
    page.layers.network.select(Node("branch", (1, 1)))
    page.layers.add("Dropout")
    choice = model().blocks[1]
    assert [(branch.name, len(branch.blocks)) for branch in choice.one_of] == [("a", 1), ("b", 1)]
    page.layers.network.select(Node("branch", (1, 0)))
    page.layers.add_branch()
    assert [branch.name for branch in model().blocks[1].one_of] == ["a", "c", "b"]
    page.layers.inspector.renamed.emit("wide")
    assert [branch.name for branch in model().blocks[1].one_of] == ["a", "wide", "b"]
    page.layers.network.select(Node("block", (1,)))
    assert row(page, "chosen").dice.isChecked(), "all are tried"
    row(page, "chosen").dice.click()
    assert model().blocks[1].chosen == "a"
    row(page, "chosen").dice.click()
    assert model().blocks[1].chosen is None


@pytest.mark.parametrize(
    ("kind", "field", "tuned"),
    [
        ("optional", "optional", TuneBoolean(default=True)),
        ("residual", "residual", TuneBoolean(default=True)),
        ("parallel", "merge", None),
    ],
)
def test_what_varies_about_a_container_is_a_field(page, model, kind, field, tuned):
    page.layers.add(container_name(kind), (0,))
    page.layers.network.select(Node("block", (0,)))
    if not row(page, field).dice.isChecked():
        row(page, field).dice.click()
    value = getattr(model().blocks[0], field)
    assert value == tuned if tuned is not None else set(value.choices) >= {"concatenate", "add"}
    assert page.status().readiness is Readiness.READY, page.status()


def test_blocks_are_switched_off_and_copied(page, model):
    page.layers.add("Dropout", (1,))
    page.layers.network.select(Node("block", (1,)))
    press(page, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert model().blocks[1].disabled
    assert "switched off" in page.layers.network.titles()[2]
    press(page, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    press(page, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert layers(model) == ["Dense"]
    press(page, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    press(page, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert layers(model) == ["Dense", "Dropout", "Dropout"]


def test_a_condition_is_clicked_together(page, model):
    page.layers.add("Dropout", (1,))
    page.layers.network.select(Node("block", (1,)))
    row(page, "rate").dice.click()
    around = row(page, "rate")._tunable_editor._surroundings
    around._add_condition()
    condition = around._rows[0]
    assert condition.parent_name == "dense_1_units"
    condition._parent_box.setCurrentText("dense_1_activation")
    condition._parent_box.activated.emit(1)
    condition._fill_menu()
    condition._menu.actions()[1].trigger()
    rate = model().blocks[1].arguments["rate"]
    assert rate.only_if == {"dense_1_activation": ("relu", "tanh")}
    replace_text(line(row(page, "rate")), "0.1")
    assert model().blocks[1].arguments["rate"].only_if, "typing a range keeps the condition"
    condition.removed.emit()
    assert model().blocks[1].arguments["rate"].only_if == {}


def test_the_copies_of_a_repeat_double_a_field(page, model):
    page.layers.network.select(DENSE)
    press(page, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    page.layers.network.select(Node("block", (0, 0)))
    rule = row(page, "units")._tunable_editor._surroundings._copies
    rule._box.setCurrentIndex(3)
    rule._box.activated.emit(3)
    assert model().blocks[0].blocks[0].arguments["units"].copies.times == 2


def test_a_regularizer_gets_arguments_of_its_own_and_they_are_tunable(page, model):
    page.layers.network.select(DENSE)
    page.layers.inspector.form._more.setChecked(True)
    field = row(page, "kernel_regularizer")
    field._gear.click()
    form = field._objects
    form._box.setCurrentText("L2")
    form._box.activated.emit(0)
    form.form.rows["l2"].dice.click()
    value = model().blocks[0].arguments["kernel_regularizer"]
    assert value.name == "L2"
    assert isinstance(value.arguments["l2"], TuneFloat)
    names = [h.name for h in page.layers.inspector.neighbours.hyperparameters]
    assert "dense_1_kernel_regularizer_l2" in names
    assert page.status().readiness is Readiness.READY, page.status()
    field._gear.click()
    assert "kernel_regularizer" not in model().blocks[0].arguments or isinstance(
        model().blocks[0].arguments["kernel_regularizer"], str
    )


def test_a_wrapper_holds_a_layer(page, model):
    page.layers.add("Bidirectional", (0,))
    page.layers.network.select(Node("block", (0,)))
    form = row(page, "layer")._objects
    form._box.setCurrentText("LSTM")
    form._box.activated.emit(0)
    form.form.rows["units"].dice.click()
    inner = model().blocks[0].arguments["layer"]
    assert inner.layer == "LSTM"
    assert isinstance(inner.arguments["units"], TuneInt)


def test_the_learning_rate_follows_a_schedule(page, model):
    page.layers.network.select(OPTIMIZER)
    rate = row(page, "learning_rate")
    rate.dice.click()
    rate._gear.click()
    form = rate._objects
    form._box.setCurrentText("CosineDecay")
    form._box.activated.emit(0)
    assert model().optimizer.arguments["learning_rate"].name == "CosineDecay"


@pytest.fixture
def code_file(page, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def build(hp):\n    return None\n")
    page.code.take_file(file)
    return file


def test_the_python_file_is_edited_in_place(page, code_file, qtbot):
    view = page.code.view
    view.setFocus()
    view.moveCursor(QTextCursor.MoveOperation.Start)
    QTest.keyClicks(view, "import os")
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert page.code.is_edited
    assert code_file.read_text().startswith("def"), "not saved yet"
    QTest.keyClick(view, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert code_file.read_text() == "import os\ndef build(hp):\n    return None\n"
    assert not page.code.is_edited


def test_a_typed_error_is_marked_before_it_is_saved(page, code_file, qtbot):
    view = page.code.view
    view.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClicks(view, "def broken(:")
    qtbot.waitUntil(lambda: view.marked_line == 3)
    page.code._revert.click()
    assert view.toPlainText() == code_file.read_text()
    assert view.marked_line is None


def test_a_file_that_changes_under_ones_hands_is_told(page, code_file, qtbot):
    view = page.code.view
    QTest.keyClicks(view, "# mine ")
    code_file.write_text("def build(hp):\n    return 1\n")
    qtbot.waitUntil(lambda: "Another program" in page.code._banner.text)
    assert view.toPlainText().startswith("# mine")
    page.code.save()
    assert code_file.read_text().startswith("# mine")


def test_enter_and_tab_indent(page, code_file):
    view = page.code.view
    view.setPlainText("def build(hp):")
    view.moveCursor(QTextCursor.MoveOperation.End)
    QTest.keyClick(view, Qt.Key.Key_Return)
    QTest.keyClicks(view, "x")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.toPlainText() == "def build(hp):\n    x   "
