"""Relations between committed tensors: what a lowered model is made of."""
