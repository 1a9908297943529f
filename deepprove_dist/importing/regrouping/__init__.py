"""Nodes of a float graph regrouped: layers and attention cut, averages joined with their softmax."""
