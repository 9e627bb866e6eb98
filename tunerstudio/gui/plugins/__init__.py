"""The plugin manager: what there is, what is wrong with it, install, switch and remove. Runs no plugin code."""
