"""The workers of a session: hired, recycled and dismissed without making the session wait."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from tunerstudio.engine.background import Errand
from tunerstudio.engine.executors.base import Pool, TrialWorker
from tunerstudio.engine.slots import Slot

CLOSE_WAIT_S = 5.0
"""How long the end of a session waits for workers that are being killed."""


@dataclass(frozen=True)
class Recycling:
    """When a worker is replaced by a new process, so that nothing can pile up in it.

    Attributes:
        trials: After so many trials.
        growth_bytes: Or when its memory has grown by so much since its first trial ended.
    """

    trials: int = 500
    growth_bytes: int = 1_000_000_000


class Crew:
    """The slots of a session.

    Attributes:
        slots: One for each worker that is wanted.
    """

    def __init__(
        self, pool: Pool, ring: Callable[[], None], open_study: Callable[[TrialWorker], None], recycling: Recycling
    ) -> None:
        """Take workers from `pool`.

        Args:
            pool: Gives workers; may block.
            ring: Called when a worker is ready or could not be had.
            open_study: Makes a worker ready for trials; may block, and raise.
            recycling: When workers are replaced.
        """
        self._pool, self._ring, self._open_study, self._recycling = pool, ring, open_study, recycling
        self.slots: list[Slot] = []
        self._dismissals: list[Errand[None]] = []

    @property
    def busy(self) -> list[Slot]:
        """Slots whose worker trains."""
        return [slot for slot in self.slots if slot.job is not None]

    def idle(self, key: object) -> list[Slot]:
        """Slots where a trial of the study `key` could start at once."""
        return [slot for slot in self.slots if slot.is_idle and _has_open(slot.worker, key)]

    def resize(self, wanted: int) -> None:
        """Have `wanted` slots; surplus ones go as soon as they are not busy."""
        while len(self.slots) < wanted:
            self.slots.append(Slot())
        for slot in [slot for slot in self.slots if slot.job is None][: len(self.slots) - wanted]:
            self.slots.remove(slot)
            self._vacate(slot, keep=False)

    def hire(self, key: object, most: int) -> None:
        """Get workers with the study `key` open for free slots, until `most` slots are idle or have one coming."""
        free = [slot for slot in self.slots if slot.job is None and slot.hire is None]
        missing = [slot for slot in free if not _has_open(slot.worker, key)]
        wanted = most - sum(1 for slot in self.slots if slot.hire is not None) - (len(free) - len(missing))
        for slot in missing[: max(wanted, 0)]:
            self._send_for(slot)

    def _send_for(self, slot: Slot) -> None:
        worker, slot.worker = slot.worker, None
        if worker is not None and not worker.is_alive:
            self._dismiss(worker)
            worker = None
        if worker is None:
            slot.trials = slot.first_rss_bytes = 0
        slot.hire = Errand("hire a worker", lambda: self._made_ready(worker), self._ring, self._pool.release)

    def _made_ready(self, worker: TrialWorker | None) -> TrialWorker:
        worker = worker or self._pool.acquire()
        try:
            worker.wait_ready()
            self._open_study(worker)
        except BaseException:
            self._pool.discard(worker)
            raise
        return worker

    def collect(self) -> list[Exception | None]:
        """Take the workers that have come: None for one that is ready, what went wrong for another."""
        outcomes: list[Exception | None] = []
        for slot in self.slots:
            if slot.hire is None or not slot.hire.is_done:
                continue
            hire, slot.hire = slot.hire, None
            try:
                slot.worker = hire.result()
                outcomes.append(None)
            except Exception as error:  # noqa: BLE001  # the session decides what it means
                outcomes.append(error)
        return outcomes

    def trial_ended(self, slot: Slot, keep_worker: bool) -> None:
        """Free the slot, and dismiss its worker if it is broken or due for recycling."""
        slot.job = None
        slot.trials += 1
        if not keep_worker or self._is_due(slot):
            self._vacate(slot, keep=False)

    def _is_due(self, slot: Slot) -> bool:
        if slot.trials >= self._recycling.trials:
            return True
        memory = resident_bytes(slot.worker)
        if memory is None:
            return False
        slot.first_rss_bytes = slot.first_rss_bytes or memory
        return memory - slot.first_rss_bytes > self._recycling.growth_bytes

    def give_back(self, free_devices: bool = False) -> None:
        """Give all workers back to the pool; `free_devices`: end those that hold a GPU's memory."""
        for slot in self.slots:
            ready = slot.worker.ready if slot.worker is not None else None
            on_gpu = ready is not None and not ready.device.startswith("CPU")
            self._vacate(slot, keep=not (free_devices and on_gpu))

    def close(self) -> None:
        """Give everything back, and wait a little for those that were dismissed."""
        self.give_back()
        self.slots.clear()
        for dismissal in self._dismissals:
            dismissal.wait(CLOSE_WAIT_S)

    def _vacate(self, slot: Slot, keep: bool) -> None:
        if slot.hire is not None:
            slot.hire.abandon()
            slot.hire = None
        worker, slot.worker = slot.worker, None
        if worker is None:
            return
        slot.trials = slot.first_rss_bytes = 0
        if keep:
            self._pool.release(worker)
        else:
            self._dismiss(worker)

    def _dismiss(self, worker: TrialWorker) -> None:
        self._dismissals = [errand for errand in self._dismissals if not errand.is_done]
        self._dismissals.append(Errand("dismiss a worker", lambda: self._pool.discard(worker)))


def _has_open(worker: TrialWorker | None, key: object) -> bool:
    return worker is not None and worker.is_alive and worker.study_key == key


def resident_bytes(worker: TrialWorker | None) -> int | None:
    """Resident memory of a worker on this machine; None if it cannot be told."""
    if worker is None or worker.pid is None or worker.node != socket.gethostname():
        return None
    try:
        return int(psutil.Process(worker.pid).memory_info().rss)
    except psutil.Error:
        return None
