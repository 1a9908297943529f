"""Checks of products of sent scalars: one by one, or by a small sumcheck that hides them."""
