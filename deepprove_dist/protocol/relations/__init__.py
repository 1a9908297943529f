"""The argument for relations: a batched sumcheck, whose result is claims on committed tensors."""
