"""Places for workers on a cluster: Ray actors that hold their share of a node."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray

from tunerstudio.engine.executors.ray_actor import NodeHost
from tunerstudio.engine.executors.ray_messages import NodeFacts, Settings

Note = Callable[[str, str], None]
"""Takes level and text of a log line."""

NOTE_AFTER_S = 10.0
"""Waiting for a place is told after so long,"""
NOTE_AGAIN_S = 300.0
"""and again after so long."""

IDLE_LIMIT_S = 20.0
"""A place without a worker goes back to the cluster after so long."""

END_LIMIT_S = 15.0
"""How long a place may take to end its worker before it is given up itself."""

LEAVE_LIMIT_S = 3.0
"""How long places may take to tidy up."""

CONCURRENCY = 4
"""Calls that one actor answers at the same time: one that waits for reports, one with a command, and one to end it."""


class CancelledError(Exception):
    """Nobody wants the place any more."""


@dataclass(frozen=True)
class Place:
    """A share of a node.

    Attributes:
        actor: Handle of its `NodeHost`.
        facts: Where it is.
    """

    actor: Any
    facts: NodeFacts


class Places:
    """Gets places from the cluster and keeps them while they are needed. Safe to use from several threads."""

    def __init__(self, settings: Settings, note: Note) -> None:
        """Ask for shares as `settings` say; tell `note` what is waited for."""
        self._settings, self._note = settings, note
        self._guard = threading.Lock()
        self._idle: list[tuple[Place, float]] = []
        self._waiting = 0
        self._noted_at = -NOTE_AGAIN_S

    @property
    def waiting(self) -> int:
        """How many workers wait for a place."""
        return self._waiting

    def take(self, cancelled: threading.Event) -> Place:
        """A place, waiting for it as long as it takes: nodes may be added.

        Raises:
            CancelledError: If `cancelled` was set meanwhile.
            ray.exceptions.RayError: If the cluster cannot run our code.
        """
        place = self._take_idle()
        if place is not None:
            return place
        actor = self._ask()
        facts = actor.facts.remote()
        began = time.monotonic()
        with self._guard:
            self._waiting += 1
        try:
            while not ray.wait([facts], timeout=0.25)[0]:
                place = self._take_idle()
                if place is not None or cancelled.is_set():
                    ray.kill(actor)
                    if place is None:
                        raise CancelledError
                    return place
                self._tell_waiting(time.monotonic() - began)
        finally:
            with self._guard:
                self._waiting -= 1
        return Place(actor, ray.get(facts))

    def give_back(self, place: Place, healthy: bool) -> None:
        """The place is not needed at the moment; `healthy`: and can be used again."""
        if healthy:
            with self._guard:
                self._idle.append((place, time.monotonic()))
        else:
            ray.kill(place.actor)

    def tend(self) -> None:
        """Give places back to the cluster that nobody needed for a while."""
        now = time.monotonic()
        with self._guard:
            old = [place for place, since in self._idle if now - since > IDLE_LIMIT_S]
            self._idle = [(place, since) for place, since in self._idle if now - since <= IDLE_LIMIT_S]
        _leave(old)

    def close(self) -> None:
        """Give all places back that no worker has."""
        with self._guard:
            idle, self._idle = self._idle, []
        _leave([place for place, _ in idle])

    def room(self) -> int:
        """How many places the nodes of now have, those in use included."""
        shares = self._settings
        count = 0
        for node in ray.nodes():
            if node["Alive"]:
                rest = node["Resources"]
                by_gpu = rest.get("GPU", 0.0) / shares.gpus if shares.gpus else math.inf
                count += int(min(rest.get("CPU", 0.0) / shares.cpus, by_gpu))
        return count

    def _take_idle(self) -> Place | None:
        with self._guard:
            return self._idle.pop()[0] if self._idle else None

    def _ask(self) -> Any:
        names = {
            node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["NodeName"] != node["NodeManagerAddress"]
        }
        settings = self._settings
        host = ray.remote(NodeHost).options(
            num_cpus=settings.cpus, num_gpus=settings.gpus, max_concurrency=CONCURRENCY, max_restarts=0
        )
        return host.remote(names)

    def _tell_waiting(self, waited_s: float) -> None:
        now = time.monotonic()
        with self._guard:
            if waited_s < NOTE_AFTER_S or now - self._noted_at < NOTE_AGAIN_S:
                return
            self._noted_at = now
        self._note(*waiting_text(self._settings, ray.nodes(), ray.available_resources()))


def _leave(places: list[Place]) -> None:
    """Give places back; what they cannot tidy up themselves, the next worker on their node does."""
    asked = [place.actor.leave.remote() for place in places]
    if asked:
        ray.wait(asked, num_returns=len(asked), timeout=LEAVE_LIMIT_S)
    for place in places:
        ray.kill(place.actor)


def waiting_text(settings: Settings, nodes: list[dict[str, Any]], free: dict[str, float]) -> tuple[str, str]:
    """Level and text of what to tell while no place is free.

    Args:
        settings: What a worker needs.
        nodes: As `ray.nodes()` gives them.
        free: As `ray.available_resources()` gives it.
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    need = _words(settings.cpus, settings.gpus)
    fitting = [
        node for node in alive if node.get("CPU", 0.0) >= settings.cpus and node.get("GPU", 0.0) >= settings.gpus
    ]
    if not fitting:
        biggest = _words(
            max((node.get("CPU", 0.0) for node in alive), default=0.0),
            max((node.get("GPU", 0.0) for node in alive), default=0.0),
        )
        return "warning", (
            f"no node of the cluster has {need}, which one trial needs (search.executor); the most that a node has is "
            f"{biggest}. Trials wait until such a node is added"
        )
    total = _words(sum(node.get("CPU", 0.0) for node in alive), sum(node.get("GPU", 0.0) for node in alive))
    rest = _words(free.get("CPU", 0.0), free.get("GPU", 0.0))
    return "info", (
        f"a worker waits for a free place on the cluster: a trial needs {need}; {len(alive)} nodes have {total}, of "
        f"which {rest} are free"
    )


def _words(cpus: float, gpus: float) -> str:
    return f"{cpus:g} CPU" + (f" and {gpus:g} GPU" if gpus else "")
