"""Kills the real program at random instants, and counts what it cost."""
