"""What the pages may call: the two service processes and the settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject

from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.gui.settings import Settings
from tunerstudio.locations import log_folder


class Services(QObject):
    """Clients of the service processes; one per application.

    Attributes:
        data: The data service: reads, profiles and splits data files.
        engine: The engine service: checks, runs, saves models.
        settings: The user's settings.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        data_command: Sequence[str] | None = None,
        engine_command: Sequence[str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Prepare the clients; `start` launches them. Commands are replaced in tests only."""
        super().__init__(parent)
        self.settings = settings if settings is not None else Settings()
        logs = log_folder()
        self.data = ServiceClient(
            "data service", data_command or (sys.executable, "-m", "tunerstudio.data"), logs / "data.log", self
        )
        self.engine = ServiceClient(
            "engine", engine_command or (sys.executable, "-m", "tunerstudio.engine"), logs / "engine.log", self
        )

    def start(self) -> None:
        """Warm both services up."""
        self.data.start()
        self.engine.start()

    def stop(self) -> None:
        """End both services and wait for them."""
        self.data.stop()
        self.engine.stop()
