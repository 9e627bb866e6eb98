"""Seeds that depend on nothing but the study's seed and the place of the execution."""

from __future__ import annotations

import hashlib


def execution_seed(study_seed: int, trial: int, execution: int) -> int:
    """A seed in [1, 2**31 - 1], independent for each (study seed, trial, execution); 0 is a seed like any other."""
    digest = hashlib.sha256(f"{study_seed}/{trial}/{execution}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2**31 - 1) + 1
