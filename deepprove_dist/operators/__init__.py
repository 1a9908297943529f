"""Operators: what a node of the float graph is, and of the integer model; one module each."""
