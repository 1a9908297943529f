"""Ranks in processes of their own: what starts them, and the channel to them."""
