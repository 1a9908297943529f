"""The proof system: relations, claims, opening, transcript and their parameters."""
