"""From an integer model to committed tensors and relations between them."""
