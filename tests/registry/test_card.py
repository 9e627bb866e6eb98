import re
from html.parser import HTMLParser

import pytest

from tests.registry.cards import make_card
from tunerstudio.registry.card import CARD_FILE, PAGE_FILE, read_card, write_card


class _Checker(HTMLParser):
    """Collects text, and complains about what a page must not hold or does not close."""

    def __init__(self):
        super().__init__()
        self.text, self.open, self.tags = "", [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onclick", "onload"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(tmp_path):
    write_card(tmp_path, make_card())
    checker = _Checker()
    checker.feed((tmp_path / PAGE_FILE).read_text(encoding="utf-8"))
    return checker


def test_cards_are_read_back(tmp_path):
    write_card(tmp_path, make_card())
    assert read_card(tmp_path) == make_card()
    assert sorted(path.name for path in tmp_path.iterdir()) == [PAGE_FILE, CARD_FILE]


def test_the_page_tells_everything(page):
    wanted = ["0.9711", "0.0021", "rank 1", "dense_1_units", "27", "0.9655", "ab" * 32, "480", "232", "3.15.1"]
    wanted += ["random", "48 completed, 2 failed", "keras.models.load_model", "Dense(27) -> Dense(1)", "298"]
    assert [word for word in wanted if word not in page.text] == []


def test_the_page_is_plain(page):
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert "Tumours <b>" in page.text
    assert "b" not in page.tags


def test_a_page_without_a_test_part_says_so(tmp_path):
    write_card(tmp_path, make_card(test={}, standard_error=None, parameters=None))
    text = (tmp_path / PAGE_FILE).read_text(encoding="utf-8")
    assert "no test part" in text
    assert "±" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
