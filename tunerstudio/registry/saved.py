"""The saved models of a study folder, damaged ones included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tunerstudio.registry.card import CARD_FILE, PAGE_FILE, ModelCard, read_card

MODELS_FOLDER = "models"


@dataclass(frozen=True)
class SavedModel:
    """One folder under `models`.

    Attributes:
        folder: Where it lies.
        card: Its card; None if it cannot be used.
        problem: Why it cannot be used, in a sentence; "" if it can.
    """

    folder: Path
    card: ModelCard | None
    problem: str = ""

    @property
    def model_file(self) -> Path | None:
        """The model file; None without a card."""
        return None if self.card is None else self.folder / self.card.file

    @property
    def page(self) -> Path | None:
        """The card as a page, if it is there."""
        path = self.folder / PAGE_FILE
        return path if path.is_file() else None


def list_saved(study_folder: Path) -> list[SavedModel]:
    """Every saved model of the study, best score first, damaged ones last; empty if there are none."""
    root = study_folder / MODELS_FOLDER
    if not root.is_dir():
        return []
    # Names with a dot are models that are being written at this moment.
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(map(read_saved, folders), key=_order)


def read_saved(folder: Path) -> SavedModel:
    """The saved model in `folder`; a damaged one says what is wrong."""
    try:
        card = read_card(folder)
    except FileNotFoundError:
        return SavedModel(folder, None, f"{folder.name} has no {CARD_FILE}, so nothing is known about it.")
    except OSError as error:
        return SavedModel(folder, None, f"The card of {folder.name} cannot be read: {error.strerror or error}.")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        return SavedModel(folder, None, f"The card of {folder.name} is damaged ({what}). Save the model again.")
    if Path(card.file).name != card.file:
        return SavedModel(folder, None, f"The card of {folder.name} names a file outside of its folder: {card.file}.")
    if not (folder / card.file).exists():
        return SavedModel(folder, card, f"The file {card.file} of {folder.name} is missing. Save the model again.")
    return SavedModel(folder, card)


def _order(model: SavedModel) -> tuple[bool, float, str]:
    if model.card is None:
        return (True, 0.0, model.folder.name)
    sign = -1.0 if model.card.objective.direction == "max" else 1.0
    return (False, sign * model.card.score, model.folder.name)
