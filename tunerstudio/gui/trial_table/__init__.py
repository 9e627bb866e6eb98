"""The table of trials: item model, view, and what can be done with a row."""
