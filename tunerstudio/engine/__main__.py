"""`python -m tunerstudio.engine`: the engine service on stdin and stdout."""

from __future__ import annotations

import sys


def main() -> None:
    """Serve until stdin closes."""
    from tunerstudio.engine.engine import Engine
    from tunerstudio.engine.service import EngineService
    from tunerstudio.protocol.loop import Channel, claim_stdout

    lines = sys.stdin.buffer
    EngineService(Engine(), Channel(claim_stdout())).serve(iter(lines.readline, b""))


if __name__ == "__main__":
    main()
