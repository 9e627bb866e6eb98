"""How other threads talk to a running session."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection
from typing import Literal

When = Literal["epoch", "now"]


class SessionControl:
    """A stop request and a bell that wakes the session from its wait. Close it when the session is over."""

    def __init__(self) -> None:
        """Nothing is requested."""
        # A signal handler may interrupt another one that holds it.
        self._guard = threading.RLock()
        self._requests: set[When] = set()
        self.wake_up: Connection
        self.wake_up, self._bell = multiprocessing.Pipe(duplex=False)

    @property
    def stop(self) -> When | None:
        """The strongest request so far."""
        for when in ("now", "epoch"):
            if when in self._requests:
                return when
        return None

    def request_stop(self, when: When) -> None:
        """Ask to end after the running epoch, or now. A later `now` overrides `epoch`."""
        self._requests.add(when)
        self.ring()

    def ring(self) -> None:
        """Wake the session: there is something to look after."""
        with self._guard:
            self._bell.send_bytes(b"ring")

    def drain(self) -> None:
        """Forget the rings, not the request."""
        while self.wake_up.poll():
            self.wake_up.recv_bytes()

    def close(self) -> None:
        """Close both ends."""
        self.wake_up.close()
        self._bell.close()
