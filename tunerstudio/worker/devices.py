"""The device a worker trains on, and its description in words."""

from __future__ import annotations

import os
import platform
import shutil

import keras
import numpy as np
import tensorflow as tf


def configure(threads: int | None, gpu: str | None) -> tuple[str, str]:
    """Set threads and GPU memory growth, before any operation runs.

    Args:
        threads: Cores for one operation; None lets TensorFlow decide.
        gpu: As for `worker_main`; only to explain why there is no GPU.

    Returns:
        The device, such as "CPU (2 cores)" or "GPU: NVIDIA H100", and why it is not a GPU ("" if it is one).
    """
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(max(1, min(threads, 2)))
    found = tf.config.list_physical_devices("GPU")
    for device in found:
        # Without growth, TensorFlow takes the whole memory at once and a second worker on the GPU fails.
        tf.config.experimental.set_memory_growth(device, True)
    if found:
        name = tf.config.experimental.get_device_details(found[0]).get("device_name", found[0].name)
        return f"GPU: {name}", ""
    cores = threads or _available_cores()
    return f"CPU ({cores} core{'s' if cores > 1 else ''})", _why_no_gpu(gpu)


def versions() -> dict[str, str]:
    """Versions that decide what a training gives."""
    from importlib.metadata import version

    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "keras_tuner": version("keras-tuner"),
        "numpy": np.__version__,
    }


def _available_cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _why_no_gpu(gpu: str | None) -> str:
    if gpu == "":
        return "This worker was told to use the CPU."
    if not tf.test.is_built_with_cuda():
        return "The installed TensorFlow has no GPU support."
    if shutil.which("nvidia-smi") is None:
        return "No NVIDIA driver was found on this computer."
    return (
        "An NVIDIA driver is there, but TensorFlow found no GPU that it can use: "
        "install the CUDA libraries with the 'gpu' extra of this program."
    )
