"""Short scripts that show the package at work: `python examples/first_proof.py`."""
