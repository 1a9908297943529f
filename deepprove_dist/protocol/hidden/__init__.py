"""Hidden inputs and outputs: commitments that stand in a statement in the place of integers."""
