"""The lookup argument: columns of the witness stand in public tables."""
