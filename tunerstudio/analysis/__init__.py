"""From trials to plain arrays for plots and tables; no Qt, no TensorFlow."""
