"""Choosing and saving models: ranking, cards."""
