"""Where trial workers run."""
