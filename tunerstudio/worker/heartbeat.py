"""Signs of life while a trial trains: what it uses, and whether it gets on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import tensorflow as tf

from tunerstudio.protocol.worker import ResourcesUsed
from tunerstudio.worker.gpu_load import GpuLoad
from tunerstudio.worker.training import StopRequest

INTERVAL_S = 1.0
"""Seconds between two beats; a trial shorter than that sends none."""


class Heartbeat:
    """Beats from a thread of its own, so that it is heard while the trial hangs in Python.

    Only code that keeps Python's lock, a loop in native code, silences it.
    """

    def __init__(self, send: Callable[[ResourcesUsed], None], interval_s: float = INTERVAL_S) -> None:
        """Send through `send`, which may be called from any thread, every `interval_s` seconds."""
        self._send, self._interval_s = send, interval_s
        self._process = psutil.Process()
        self._gpu: GpuLoad | None = None

    @contextmanager
    def beating(self, trial: int, stop: StopRequest) -> Iterator[None]:
        """Beat while the body trains `trial`; the count of polls of its stop request is the progress.

        No beat is sent after the body has ended.
        """
        ended = threading.Event()
        self._process.cpu_percent()  # the next call tells the use since this one
        thread = threading.Thread(target=self._beat, args=(trial, stop, ended), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _beat(self, trial: int, stop: StopRequest, ended: threading.Event) -> None:
        while not ended.wait(self._interval_s):
            used = self._used(trial, stop.polls)
            try:
                self._send(used)
            except OSError:
                return  # the engine went away; the training notices it, too

    def _used(self, trial: int, progress: int) -> ResourcesUsed:
        percent, size = self._gpu_use()
        return ResourcesUsed(
            trial=trial,
            at=time.time(),
            rss_bytes=self._process.memory_info().rss,
            cpu_percent=self._process.cpu_percent(),
            gpu_percent=percent,
            gpu_bytes=size,
            progress=progress,
        )

    def _gpu_use(self) -> tuple[float | None, int | None]:
        """How busy the GPU is, all its users together, and how many bytes this process has on it."""
        if not tf.config.list_physical_devices("GPU"):
            return None, None
        if self._gpu is None:
            self._gpu = GpuLoad.of_this_process()
        return self._gpu.percent(), int(tf.config.experimental.get_memory_info("GPU:0")["current"])
