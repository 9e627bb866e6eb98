"""Networks of the model benchmark, as a user would write them; both sides train the same files."""
