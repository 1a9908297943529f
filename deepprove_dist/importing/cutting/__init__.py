"""Nodes of a float graph cut into smaller ones, where parts of what they compute are not needed."""
