"""How good and how fast the search algorithms are, on tables of real trainings."""
