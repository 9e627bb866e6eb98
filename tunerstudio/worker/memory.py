"""Keeps a worker's memory flat over thousands of trials."""

from __future__ import annotations

import gc

import tensorflow as tf

CLEAR_EVERY = 50
"""Trials between two clearings: each costs 0.1 s, because compiled programs prepare their kernels again."""


class TrialMemory:
    """Gives back what finished trials leave behind."""

    def __init__(self) -> None:
        """No trial has ended yet."""
        self._trials = 0

    def trial_ended(self) -> None:
        """Collect the models of the trial, and from time to time what TensorFlow remembers of their variables.

        TensorFlow keeps a prepared kernel for the creation of every variable that ever was: 0.4 MB a trial. Setting
        its seed is the public way to make it forget them; all seeds are set anew for every execution anyway.
        """
        gc.collect()
        self._trials += 1
        if self._trials % CLEAR_EVERY == 0:
            tf.random.set_seed(0)
