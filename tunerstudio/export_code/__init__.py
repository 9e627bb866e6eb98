"""From a study to Python that runs without this program: a HyperModel and its search, a script, a notebook."""
