"""The side of the coordinator: calls to a group of workers, and the replacement of those that fail."""
