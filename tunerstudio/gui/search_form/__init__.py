"""The parts of the Search page: algorithm, options, budget, training, search space, check."""
