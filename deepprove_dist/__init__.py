"""Succinct proofs that a committed neural network maps a given input to a given output."""
