"""A model card as a page for people: plain HTML, no scripts, nothing from elsewhere, printable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 60rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.lead { color: #555; margin-top: .2rem; }
table { border-collapse: collapse; } td, th { padding: .25rem 1.2rem .25rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
tr + tr td, tr + tr th { border-top: 1px solid #ddd; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; font-size: 13px; line-height: 1.35; }
.yes { color: #00734d; } .no { color: #b3261e; }
@media (prefers-color-scheme: dark) { body { background: #1e1e1e; color: #e6e6e6; } pre { background: #2b2b2b; }
  p.lead { color: #aaa; } tr + tr td, tr + tr th { border-color: #444; }
  .yes { color: #5cc9a0; } .no { color: #ff8a80; } }
@media print { body { margin: 0; } }
"""


def card_page(card: Mapping[str, Any]) -> str:
    """The page of a card.

    Args:
        card: A `ModelCard` as plain data.
    """
    objective = card["objective"]
    title = f"{card['study']}: trial {card['trial']}"
    lead = f"{objective['name']} {_score(card)} ({_aim(objective['direction'])}), rank {card['search']['rank']}"
    sections = [
        _section("Quality", _quality(card)),
        _section("Values", _table(sorted(card["values"].items()))),
        _section("Executions", _executions(card)),
        _section("Data", _table(_data_rows(card["data"]))),
        _section("Search", _table(_search_rows(card))),
        _section("How to load it", _pre(card["how_to_load"])),
        _section("Network", _pre(card["summary"])),
        _section("Versions", _table(sorted(card["versions"].items()))),
    ]
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n{body}\n</body>\n</html>\n'
    )


def _aim(direction: str) -> str:
    return "greater is better" if direction == "max" else "less is better"


def _score(card: Mapping[str, Any]) -> str:
    error = card["standard_error"]
    spread = "" if error is None else f" ± {error:.2g} ({len(card['executions'])})"
    return f"{card['score']:.4g}{spread}"


def _quality(card: Mapping[str, Any]) -> str:
    verified = card["verified"]
    mark = '<span class="yes">yes</span>' if verified else '<span class="no">no</span>'
    checked = f"<p>Loaded again from the file alone, in a fresh process, it gives its score again: {mark}.</p>"
    test = card["test"]
    if card["refitted"]:
        measured = _table([(name, test[name]) for name in sorted(test)], ("", "test")) if test else ""
        return (
            f"{measured}<p>After cross-validation the model was fitted anew on training and validation rows together; "
            f"what to expect of it is the mean of the folds: {escape(_score(card))}.</p>{checked}"
        )
    note = (
        "" if test else "<p>There was no test part, so only the validation figures stand, and they are optimistic.</p>"
    )
    names = sorted({*card["validation"], *test})
    rows = [(name, card["validation"].get(name), test.get(name)) for name in names]
    return _table(rows, ("", "validation", "test")) + checked + note


def _executions(card: Mapping[str, Any]) -> str:
    rows = [
        (
            number,
            item["seed"],
            item["score"],
            item["best_epoch"],
            item["epochs"],
            "in the file" if item["saved"] else "",
        )
        for number, item in enumerate(card["executions"], start=1)
    ]
    return _table(rows, ("", "seed", "score", "best epoch", "epochs", ""))


def _data_rows(data: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    train, validation, test = data["rows"]
    yield "source", data["source"]
    yield "SHA-256", data["fingerprint"]
    yield "predicts", f"{', '.join(data['target'])} ({data['task']})"
    if data["classes"]:
        yield "classes", ", ".join(data["classes"])
    yield "inputs", ", ".join(data["inputs"])
    yield "rows", f"{train} training, {validation} validation, {test} test"


def _search_rows(card: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    search = card["search"]
    yield "algorithm", search["algorithm"]
    yield "seed", search["seed"]
    yield "trials", f"{search['trials']} ({search['completed']} completed, {search['failed']} failed)"
    yield "hyperparameters", search["hyperparameters"]
    yield "parameters of the network", "–" if card["parameters"] is None else f"{card['parameters']:,}"
    yield "training took", f"{card['duration_s']:.3g} s on {card['device'] or 'this machine'}"
    yield "saved", card["saved_at"]


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>" if text.strip() else ""


def _table(rows: Iterable[tuple[object, ...]], headings: tuple[str, ...] = ()) -> str:
    head = "<tr>" + "".join(f"<th>{escape(text)}</th>" for text in headings) + "</tr>\n" if headings else ""
    return f"<table>\n{head}" + "\n".join(_row(row) for row in rows) + "\n</table>"


def _row(row: tuple[object, ...]) -> str:
    first, *others = row
    return f"<tr><th>{escape(_cell(first))}</th>" + "".join(_data_cell(value) for value in others) + "</tr>"


def _data_cell(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    opening = '<td class="n">' if is_number else "<td>"
    return f"{opening}{escape(_cell(value))}</td>"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
