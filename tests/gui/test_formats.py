"""Numbers as people read them."""

import pytest

from tunerstudio.gui.formats import (
    as_sentence,
    format_count,
    format_duration,
    format_number,
    format_percent,
    format_score,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0000000149, "1"),
        (0.96621, "0.9662"),
        (12345.6, "1.235e4"),
        (9999.7, "1e4"),
        (0.00009, "9e-5"),
        (0.0001, "0.0001"),
        (1234.4, "1234"),
        (-0.01234, "-0.01234"),
        (100.0, "100"),
        (0.0, "0"),
        (7, "7"),
        (2_500_000, "2.5e6"),
        (True, "yes"),
        ("relu", "relu"),
        (None, "–"),
        (float("nan"), "–"),
        (float("-inf"), "-∞"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0.96621, 0.00411, 3), "0.9662 ± 0.0041 (3)"),
        ((0.96621, None, 1), "0.9662"),
        ((1.0,), "1.0000"),
        ((23.456, 1.2, 5), "23.46 ± 1.20 (5)"),
        ((123456.0, 10.0, 2), "1.235e5 ± 10 (2)"),
        ((None,), "–"),
        ((float("nan"),), "–"),
        ((float("inf"),), "∞"),
    ],
)
def test_scores_keep_their_spread(arguments, text):
    assert format_score(*arguments) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.042, "42 ms"),
        (0.3, "0.3 s"),
        (45.2, "45 s"),
        (59.7, "1 min"),
        (125, "2 min 5 s"),
        (4320, "1 h 12 min"),
        (90_000, "1 d 1 h"),
        (None, "–"),
    ],
)
def test_durations_have_two_units(seconds, text):
    assert format_duration(seconds) == text


def test_counts_and_shares():
    assert format_count(1248) == "1,248"
    assert format_count(float("inf")) == "∞"
    assert format_count(123_456_789) == "1.235e8"
    assert format_percent(0.12) == "12 %"
    assert format_percent(0.001) == "<1 %"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("saving trial 3", "Saving trial 3"),
        ("val_accuracy does not go with numbers", "val_accuracy does not go with numbers"),
        ("model.py: line 3", "model.py: line 3"),
        ("stopped.", "Stopped."),
        ("", ""),
    ],
)
def test_sentences_begin_with_a_capital_unless_a_name_does(text, shown):
    assert as_sentence(text) == shown
