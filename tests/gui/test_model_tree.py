"""Tree operations, typing and suggestions: no widget needed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunerstudio.gui.model_editor import tree
from tunerstudio.gui.model_editor.clipboard import NoBlocksError, blocks_from_text, blocks_text
from tunerstudio.gui.model_editor.parsing import (
    UNSET,
    TypedError,
    parse_float,
    parse_int,
    parse_list,
    parse_shape,
    parse_value,
    value_text,
)
from tunerstudio.gui.model_editor.range_preview import mark_positions
from tunerstudio.gui.model_editor.suggestions import first_tunable, new_layer
from tunerstudio.gui.model_editor.summary import block_segments, short, values_sentence
from tunerstudio.study.catalogue import ArgumentInfo, load_catalogue
from tunerstudio.study.containers import every_block
from tunerstudio.study.files import plain
from tunerstudio.study.model import (
    CONTAINERS,
    BlocksModel,
    Branch,
    LayerBlock,
    OneOfBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.network import AnyTunable
from tunerstudio.study.tunable import TuneBoolean, TuneChoice, TuneFloat, TuneInt

catalogue = load_catalogue()


def layer(name):
    return LayerBlock(layer=name)


A, B, C, D = layer("A"), layer("B"), layer("C"), layer("D")
NESTED = (A, RepeatBlock(repeat=2, blocks=(B, C)), D)


def flat(blocks):
    return "".join(f"({flat(b.blocks)})" if isinstance(b, RepeatBlock) else b.layer for b in blocks)


def test_insert_replace_remove_by_path():
    assert flat(tree.inserted(NESTED, (1, 1), D)) == "A(BDC)D"
    assert flat(tree.inserted(NESTED, (3,), A)) == "A(BC)DA"
    assert flat(tree.replaced(NESTED, (1, 0), D)) == "A(DC)D"
    assert flat(tree.removed(NESTED, (1, 0))) == "A(C)D"
    assert tree.block_at(NESTED, (1, 1)) is C
    assert tree.block_at(NESTED, (0, 1)) is None


def test_a_repeat_that_would_be_empty_goes_too():
    blocks = (A, RepeatBlock(repeat=2, blocks=(B,)))
    assert flat(tree.removed(blocks, (1, 0))) == "A"


@pytest.mark.parametrize(
    ("source", "target", "expected", "arrived"),
    [
        ((0,), (3,), "(BC)DA", (2,)),
        ((2,), (0,), "DA(BC)", (0,)),
        ((2,), (1, 1), "A(BDC)", (1, 1)),
        ((0,), (1, 2), "(BCA)D", (0, 2)),
        ((1, 0), (0,), "BA(C)D", (0,)),
        ((1,), (1, 0), "A(BC)D", (1,)),
        ((1,), (2,), "A(BC)D", (1,)),
    ],
)
def test_move(source, target, expected, arrived):
    blocks, place = tree.moved(NESTED, source, target)
    assert (flat(blocks), place) == (expected, arrived)
    assert tree.block_at(blocks, place) is tree.block_at(NESTED, source)


def test_alt_down_walks_through_a_repeat_and_out_again():
    blocks, path, seen = NESTED, (0,), []
    for _ in range(6):
        blocks, path = tree.moved_by_one(blocks, path, down=True)
        seen.append(flat(blocks))
    assert seen == ["(ABC)D", "(BAC)D", "(BCA)D", "(BC)AD", "(BC)DA", "(BC)DA"]


def test_alt_up_walks_back_the_same_way():
    blocks, path, seen = ((RepeatBlock(repeat=2, blocks=(B, C)), A)), (1,), []
    for _ in range(4):
        blocks, path = tree.moved_by_one(blocks, path, down=False)
        seen.append(flat(blocks))
    assert seen == ["(BCA)", "(BAC)", "(ABC)", "A(BC)"]


def branches(inner):
    return st.lists(st.lists(inner, max_size=2).map(tuple), min_size=1, max_size=3).map(
        lambda lists: tuple(Branch(name="abc"[i], blocks=blocks) for i, blocks in enumerate(lists))
    )


block_trees = st.recursive(
    st.sampled_from("ABCDE").map(layer),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda blocks: RepeatBlock(repeat=1, blocks=tuple(blocks))),
        st.lists(inner, min_size=1, max_size=2).map(lambda blocks: ResidualBlock(residual=True, blocks=tuple(blocks))),
        branches(inner).map(lambda found: OneOfBlock(one_of=found)),
        branches(inner).map(lambda found: ParallelBlock(parallel=found)),
    ),
    max_leaves=6,
)


def paths(rows, prefix=()):
    for index, row in enumerate(rows):
        yield (*prefix, index)
        yield from paths(tree.children(row), (*prefix, index))


def letters(rows):
    found = []
    for row in rows:
        found += [row.layer] if isinstance(row, LayerBlock) else letters(tree.children(row))
    return sorted(found)


many_blocks = st.lists(block_trees, min_size=1, max_size=4).map(tuple)


@settings(max_examples=80, deadline=None)
@given(many_blocks, st.data())
def test_any_move_keeps_every_layer(blocks, data):
    every = list(paths(blocks))
    source, target = data.draw(st.sampled_from(every)), data.draw(st.sampled_from(every))
    moved, place = tree.moved(blocks, source, target)
    assert letters(moved) == letters(blocks)
    row, before = tree.row_at(moved, place), tree.row_at(blocks, source)
    assert row is before or (isinstance(row, Branch) and row.blocks == before.blocks)
    BlocksModel.model_validate(plain(BlocksModel(blocks=moved)))


@settings(max_examples=80, deadline=None)
@given(many_blocks, st.data())
def test_walking_and_wrapping_keep_every_layer(blocks, data):
    path = data.draw(st.sampled_from(list(paths(blocks))))
    for down in (True, False):
        assert letters(tree.moved_by_one(blocks, path, down)[0]) == letters(blocks)
    kind = data.draw(st.sampled_from(sorted(CONTAINERS)))
    wrapped = tree.wrapped(blocks, path, kind)
    assert letters(wrapped) == letters(blocks)
    assert letters(tree.unwrapped(wrapped, path)) == letters(blocks)
    BlocksModel.model_validate(plain(BlocksModel(blocks=wrapped)))


@settings(max_examples=40, deadline=None)
@given(many_blocks)
def test_paths_are_written_as_problems_write_them(blocks):
    written = {tree.path_text(blocks, path) for path in paths(blocks) if tree.block_at(blocks, path) is not None}
    assert written == {path for path, _ in every_block(blocks)}


def test_a_block_dropped_among_branches_becomes_one():
    choice = OneOfBlock(one_of=(Branch(name="a", blocks=(A,)),))
    blocks, place = tree.moved((B, choice), (0,), (1, 1))
    assert place == (0, 1, 0)
    assert [(branch.name, branch.blocks) for branch in blocks[0].one_of] == [("a", (A,)), ("b", (B,))]


def test_a_branch_cannot_stand_among_blocks_but_in_another_container():
    first = OneOfBlock(one_of=(Branch(name="a", blocks=(A,)), Branch(name="b", blocks=(B,))))
    second = ParallelBlock(parallel=(Branch(name="a", blocks=(C,)),))
    assert tree.moved((first, second), (0, 0), (1,))[0] == (first, second)
    blocks, place = tree.moved((first, second), (0, 0), (1, 1))
    assert place == (1, 1)
    assert [branch.name for branch in blocks[1].parallel] == ["a", "a 2"]
    assert [branch.name for branch in blocks[0].one_of] == ["b"]


def test_blocks_travel_as_text():
    blocks = (NESTED[1], OneOfBlock(one_of=(Branch(name="a", blocks=(A,)),)))
    assert blocks_from_text(blocks_text(blocks)) == blocks
    assert blocks_from_text("layer: Dense") == (layer("Dense"),)
    for text in ("", "hello", "- 3", "[", "layer: {a: 1}"):
        with pytest.raises(NoBlocksError, match="holds no layers"):
            blocks_from_text(text)


def test_a_copy_has_no_names_of_its_own():
    named = LayerBlock(layer="Dense", name="first", arguments={"units": TuneInt(name="size", min=1, max=4)})
    copy = tree.duplicated(RepeatBlock(repeat=2, name="many", blocks=(named,)))
    assert copy.name is None
    assert copy.blocks[0].name is None
    assert copy.blocks[0].arguments["units"] == TuneInt(min=1, max=4)


def test_wrap_and_unwrap():
    wrapped = tree.wrapped(NESTED, (0,))
    assert flat(wrapped) == "(A)(BC)D"
    assert flat(tree.unwrapped(wrapped, (1,))) == "(A)BCD"


def argument(kind, **more):
    return ArgumentInfo(name="x", type=kind, **more)


def test_typing_numbers_and_shapes():
    assert parse_int("1e3") == 1000
    assert parse_float("0,5") == 0.5
    assert parse_shape("3") == 3
    assert parse_shape("3, 5") == parse_shape("(3,5)") == parse_shape("3x5") == [3, 5]
    assert parse_shape("[[1, 1], [2, 2]]") == [[1, 1], [2, 2]]
    assert parse_value(argument("int"), "") is UNSET
    assert parse_value(argument("float", nullable=True), "none") is None
    assert parse_value(argument("choice", default="none", required=True), "none") == "none"
    assert parse_value(argument("regularizer"), '{"class_name": "L2"}') == {"class_name": "L2"}
    assert parse_list(argument("int"), "32, 64") == (32, 64)
    assert parse_list(argument("activation"), "relu, tanh") == ("relu", "tanh")


@pytest.mark.parametrize(
    ("kind", "more", "text", "sentence"),
    [
        ("int", {}, "1.5", "a whole number is needed"),
        ("int", {"minimum": 1}, "0", "x must be at least 1"),
        ("float", {"maximum": 1}, "2", "x must be at most 1"),
        ("float", {}, "abc", "a number is needed"),
        ("shape", {}, "a, b", "a list of them is needed"),
        ("int", {"required": True}, " ", "x is needed"),
    ],
)
def test_what_is_no_value_is_refused_in_a_sentence(kind, more, text, sentence):
    with pytest.raises(TypedError, match=sentence):
        parse_value(argument(kind, **more), text)


def test_a_list_needs_values_and_each_once():
    with pytest.raises(TypedError, match="separated by commas"):
        parse_list(argument("int"), " , ")
    with pytest.raises(TypedError, match="32 is listed twice"):
        parse_list(argument("int"), "32, 64, 32")


@given(st.one_of(st.integers(-9999, 9999), st.floats(1e-6, 1e6).map(lambda x: float(f"{x:.6g}"))))
@settings(max_examples=50, deadline=None)
def test_what_is_shown_can_be_typed_again(value):
    kind = "int" if isinstance(value, int) else "float"
    assert parse_value(argument(kind), value_text(value)) == value


def test_every_usable_layer_gets_required_arguments_and_ranges_that_hold():
    tuned = 0
    for info in catalogue.layers:
        block = new_layer(info)
        assert info.missing(list(block.arguments)) == []
        for one in info.arguments:
            tunable = first_tunable(one, block.arguments.get(one.name, UNSET), catalogue)
            assert isinstance(tunable, AnyTunable)
            hyperparameter = tunable.named("h")
            assert hyperparameter.contains(hyperparameter.default_value()), (info.name, one.name)
            tuned += 1
    for info in (*catalogue.optimizers, *catalogue.estimators):
        for one in info.arguments:
            assert isinstance(first_tunable(one, UNSET, catalogue), AnyTunable)
    assert tuned > 500


def test_good_first_ranges():
    units = catalogue.layer("Dense").argument("units")
    assert first_tunable(units, 32) == TuneInt(min=8, max=128, step=2, sampling="log", default=32)
    rate = catalogue.layer("Dropout").argument("rate")
    assert first_tunable(rate, 0.2) == TuneFloat(min=0.0, max=0.5, step=0.1, default=0.2)
    speed = catalogue.optimizer("Adam").argument("learning_rate")
    assert first_tunable(speed, UNSET) == TuneFloat(min=1e-4, max=1e-2, sampling="log", default=1e-3)
    activation = catalogue.layer("Dense").argument("activation")
    assert first_tunable(activation, "relu", catalogue).choices[:2] == ("relu", "tanh")
    assert first_tunable(catalogue.layer("Dense").argument("use_bias"), UNSET) == TuneBoolean(default=True)


def test_summaries_read_well():
    assert short(TuneInt(min=9, max=27, step=3)) == "9–27 step 3"
    assert short(TuneInt(min=16, max=128, step=2, sampling="log")) == "16–128 ×2"
    assert short(TuneFloat(min=1e-4, max=1e-2, sampling="log")) == "0.0001–0.01 log"
    assert values_sentence(TuneInt(min=9, max=27, step=3)) == "9, 12, 15 … 27"
    block = LayerBlock(layer="Dense", arguments={"units": 8, "activation": TuneChoice(choices=("relu", "tanh"))})
    assert [(s.text, s.tunable) for s in block_segments(block)] == [("units 8", False), ("relu|tanh", True)]


def test_marks_show_where_values_lie():
    assert mark_positions(TuneInt(min=0, max=4)) == [0, 0.25, 0.5, 0.75, 1]
    assert mark_positions(TuneInt(min=1, max=4, step=2, sampling="log")) == pytest.approx([0, 1 / 3, 1])
    spread = mark_positions(TuneFloat(min=1, max=100, sampling="log"))
    assert sum(position < 0.1 for position in spread) > len(spread) / 2 - 2
