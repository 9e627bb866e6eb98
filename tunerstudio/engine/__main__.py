"""`python -m tunerstudio.engine`: the engine service on stdin and stdout."""

from __future__ import annotations

import os
import signal
import sys

import psutil


def main() -> None:
    """Serve until stdin closes."""
    # Ctrl+C in a terminal reaches every process of the group; whoever started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from tunerstudio.engine.engine import Engine
    from tunerstudio.engine.service import EngineService
    from tunerstudio.protocol.loop import Channel, claim_stdout

    _let_the_window_go_first()
    lines = sys.stdin.buffer
    EngineService(Engine(), Channel(claim_stdout())).serve(iter(lines.readline, b""))


def _let_the_window_go_first() -> None:
    """Ask for a lower priority, which the workers inherit: training must not make a window stutter."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(10)


if __name__ == "__main__":
    main()
