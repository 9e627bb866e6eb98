"""The words of the Data page, in the user's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.formats import format_count, format_number
from tunerstudio.protocol.preview import ColumnProfile, Preview
from tunerstudio.study.data import BundledName, ColumnKind, ColumnRole, Task

_MOST_CLASSES = 6


def role_words() -> dict[ColumnRole, str]:
    """Roles as the chips say them."""
    translate = QCoreApplication.translate
    return {
        "feature": translate("DataPage", "feature"),
        "target": translate("DataPage", "TARGET"),
        "ignore": translate("DataPage", "ignore"),
        "sample_weight": translate("DataPage", "weight"),
    }


def role_sentences() -> dict[ColumnRole, str]:
    """Roles as the menu of a chip says them."""
    translate = QCoreApplication.translate
    return {
        "feature": translate("DataPage", "Feature: goes into the model"),
        "target": translate("DataPage", "Target: what the model predicts"),
        "ignore": translate("DataPage", "Ignore: not used"),
        "sample_weight": translate("DataPage", "Weight: how much each row counts"),
    }


def kind_words() -> dict[ColumnKind, str]:
    """Kinds as the chips say them."""
    translate = QCoreApplication.translate
    return {
        "numeric": translate("DataPage", "numeric"),
        "categorical": translate("DataPage", "categories"),
        "text": translate("DataPage", "text"),
    }


def kind_sentences() -> dict[ColumnKind, str]:
    """Kinds as the menu of a chip says them."""
    translate = QCoreApplication.translate
    return {
        "numeric": translate("DataPage", "Numeric: numbers that can be compared"),
        "categorical": translate("DataPage", "Categories: names without order"),
        "text": translate("DataPage", "Text: sentences, learned from word by word"),
    }


def task_words() -> dict[Task, str]:
    """Tasks as the form says them."""
    translate = QCoreApplication.translate
    return {
        "binary": translate("DataPage", "Two classes"),
        "multiclass": translate("DataPage", "Several classes"),
        "regression": translate("DataPage", "A number"),
    }


def bundled_words() -> dict[BundledName, str]:
    """The bundled data sets."""
    translate = QCoreApplication.translate
    return {
        "breast_cancer": translate("DataPage", "Breast cancer (569 rows, two classes)"),
        "digits": translate("DataPage", "Handwritten digits (1,797 pictures, ten classes)"),
        "wine": translate("DataPage", "Wine (178 rows, three classes)"),
        "iris": translate("DataPage", "Iris (150 rows, three classes)"),
        "diabetes": translate("DataPage", "Diabetes (442 rows, a number)"),
    }


def column_facts(profile: ColumnProfile) -> str:
    """What stands below the histogram of a column."""
    translate = QCoreApplication.translate
    if profile.missing:
        return translate("DataPage", "{} missing").format(format_count(profile.missing))
    return translate("DataPage", "{} distinct").format(format_count(profile.distinct))


def column_details(profile: ColumnProfile) -> str:
    """The tool-tip of a column."""
    translate = QCoreApplication.translate
    lines = [
        profile.name,
        translate("DataPage", "{distinct} distinct values, {missing} missing").format(
            distinct=format_count(profile.distinct), missing=format_count(profile.missing)
        ),
    ]
    if profile.minimum is not None and profile.maximum is not None:
        text = translate("DataPage", "from {low} to {high}, mean {mean}")
        numbers = (format_number(value) for value in (profile.minimum, profile.maximum, profile.mean))
        lines.append(text.format(**dict(zip(("low", "high", "mean"), numbers, strict=True))))
    elif profile.top:
        lines.append(", ".join(f"{value} ({format_count(count)})" for value, count in profile.top[:_MOST_CLASSES]))
    return "\n".join(lines)


def target_facts(preview: Preview) -> str:
    """What is to be predicted: classes with counts, or the range of a number."""
    translate = QCoreApplication.translate
    if preview.classes:
        shown = [f"{name} ({format_count(count)})" for name, count in preview.classes[:_MOST_CLASSES]]
        more = len(preview.classes) - len(shown)
        return ", ".join([*shown, translate("DataPage", "{} more").format(more)] if more else shown)
    targets = preview.data.named_with_role("target")
    profile = next((profile for profile in preview.columns if profile.name in targets), None)
    return "" if profile is None else column_details(profile).splitlines()[-1]
