"""Proofs that a new epoch has the weights of an older one: `prove` and `verify` on facing pages."""
