"""Which GPUs this machine lends to workers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence

ASK_LIMIT_S = 5.0


def visible_gpus(environment: Mapping[str, str] | None = None, ask: Callable[[], str] | None = None) -> tuple[str, ...]:
    """GPUs that workers may use, as `CUDA_VISIBLE_DEVICES` names them.

    Args:
        environment: Where `CUDA_VISIBLE_DEVICES` may narrow them; None: of this process.
        ask: Gives the driver's list, one index a line; None: asks `nvidia-smi`.
    """
    chosen = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return tuple(line.strip() for line in (ask or _ask_driver)().splitlines() if line.strip())
    names = []
    for name in (part.strip() for part in chosen.split(",")):
        if name in {"", "-1"}:
            break  # CUDA itself ignores all that follows
        names.append(name)
    return tuple(names)


def least_used(gpus: Sequence[str], in_use: Sequence[str | None]) -> str | None:
    """The GPU for the next worker: the first of those with the fewest workers; None without GPUs."""
    return min(gpus, key=lambda gpu: in_use.count(gpu), default=None)


def _ask_driver() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    question = [program, "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=ASK_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""  # a driver that does not answer lends nothing; the worker's greeting says why there is no GPU
    return answer.stdout if answer.returncode == 0 else ""
