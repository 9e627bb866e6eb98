"""How busy an NVIDIA GPU is, as its driver's own library (NVML) says; without a further package."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping


class _Utilization(ctypes.Structure):
    """NVML's `nvmlUtilization_t`: percents of time in which kernels ran and memory was used."""

    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class GpuLoad:
    """The load of one GPU.

    NVML's functions return 0 when they have done what they should; a GPU that cannot be asked has no load to tell.
    """

    def __init__(self, library: ctypes.CDLL | None, name: str) -> None:
        """Of the GPU that `CUDA_VISIBLE_DEVICES` would call `name`: a number or a UUID.

        Args:
            library: NVML; None if it is not there.
            name: Such as "0" or "GPU-6f6c...".
        """
        self._library = library
        self._handle = None if library is None else _handle(library, name)

    @classmethod
    def of_this_process(cls, environment: Mapping[str, str] = os.environ) -> GpuLoad:
        """Of the first GPU that this process sees."""
        first = environment.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
        return cls(_nvml(), first or "0")

    def percent(self) -> float | None:
        """Share of the last moments in which the GPU was at work, 0 to 100; None if it cannot be asked."""
        if self._library is None or self._handle is None:
            return None
        found = _Utilization()
        if self._library.nvmlDeviceGetUtilizationRates(self._handle, ctypes.byref(found)):
            return None
        return float(found.gpu)


def _nvml() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    except OSError:
        return None
    return None if library.nvmlInit_v2() else library


def _handle(library: ctypes.CDLL, name: str) -> ctypes.c_void_p | None:
    handle = ctypes.c_void_p()
    if name.isdecimal():
        failed = library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(name)), ctypes.byref(handle))
    else:
        failed = library.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(handle))
    return None if failed else handle
