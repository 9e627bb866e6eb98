"""`python -m tunerstudio.engine`: the engine service on stdin and stdout."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Serve until stdin closes."""
    # Ctrl+C in a terminal reaches every process of the group; whoever started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from tunerstudio.engine.engine import Engine
    from tunerstudio.engine.service import EngineService
    from tunerstudio.protocol.loop import Channel, claim_stdout

    lines = sys.stdin.buffer
    EngineService(Engine(), Channel(claim_stdout())).serve(iter(lines.readline, b""))


if __name__ == "__main__":
    main()
