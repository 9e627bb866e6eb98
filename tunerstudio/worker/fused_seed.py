"""Seeding Keras without making TensorFlow forget its compiled programs."""

from __future__ import annotations

import random

import numpy as np
from keras.src.backend.common import global_state
from keras.src.random import seed_generator
from keras.src.utils import rng_utils


def set_keras_seed(seed: int) -> None:
    """Do what `keras.utils.set_random_seed` does, except `tf.random.set_seed`.

    That call makes TensorFlow drop all kernels it has prepared, a compiled epoch's too, which then costs 0.1 s again.
    Keras's own layers and initializers never use TensorFlow's global seed: for a network of Keras's layers the
    weights, dropout and curves are the same as after `keras.utils.set_random_seed`. Models with code of the user's
    may use it and need that function.

    Args:
        seed: From 0 to 2**32 - 1.
    """
    global_state.set_global_attribute(rng_utils.GLOBAL_RANDOM_SEED, seed)
    global_state.set_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR, None)
    random.seed(seed)
    np.random.seed(seed)
