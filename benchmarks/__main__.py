"""All benchmarks of speed, one after another: `python -m benchmarks [NAME ...]`; without a name, every one."""

from __future__ import annotations

import argparse
import subprocess
import sys

MODULES = {
    "reference": ["benchmarks.reference_speed"],
    "networks": ["benchmarks.network_speed"],
    "quality": ["benchmarks.equal_quality"],
    "growth": ["benchmarks.growth"],
}


def main() -> None:
    """Run those that were asked for; each in a process of its own, so that none profits from another's imports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*MODULES, []], help="which; all by default")
    failed = []
    for name in parser.parse_args().names or MODULES:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", *MODULES[name]], check=False).returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"not as wanted: {', '.join(failed)}")


if __name__ == "__main__":
    main()
