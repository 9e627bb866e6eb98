"""Tuner Studio: find the best Keras model on your own workstation."""
