"""What the user set for the whole program: declared once, typed, kept in one small file."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunerstudio.locations import user_data_folder
from tunerstudio.study.files import write_atomically

_LOG = logging.getLogger(__name__)
_FILE = "settings.json"


class Settings(BaseModel):
    """Every setting. Unknown fields of a newer version are kept out, missing ones take their default."""

    model_config = ConfigDict(extra="ignore")

    version: int = 1
    appearance: Literal["system", "light", "dark"] = "system"
    language: str = Field(default="", description="Such as en or es; empty: the system's.")
    studies_folder: str = Field(default="", description="Where new studies go; empty: Documents/Tuner Studio.")
    data_folder: str = Field(default="", description="Where the last data file was chosen; empty: none yet.")
    on_close: Literal["ask", "epoch", "now", "background"] = Field(
        default="ask", description="What closing the window does with its running search."
    )
    on_window_death: Literal["stop", "continue"] = Field(
        default="stop", description="What a search does whose window was killed: stop after the epoch, or go on."
    )
    window_geometry: str = Field(default="", description="Qt's saved geometry, base 64.")

    def studies(self) -> Path:
        """Folder for new studies. With TUNERSTUDIO_HOME set they stay inside of it."""
        if self.studies_folder:
            return Path(self.studies_folder)
        if os.environ.get("TUNERSTUDIO_HOME"):
            return user_data_folder() / "studies"
        return Path(platformdirs.user_documents_dir()) / "Tuner Studio"


def load_settings() -> Settings:
    """The saved settings; defaults where there are none or the file is damaged."""
    path = user_data_folder() / _FILE
    try:
        return Settings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Settings()
    except (OSError, ValidationError) as error:
        _LOG.info("settings are reset: %s cannot be read: %s", path, error)
        return Settings()


def save_settings(settings: Settings) -> None:
    """Write the settings; a crash leaves the old or the new file, whole."""
    folder = user_data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _FILE, settings.model_dump_json(indent=2).encode())
