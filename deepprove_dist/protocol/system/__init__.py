"""What is proven: a lowered model as tensors, relations and lookups, and when it states a function."""
