"""The whole argument on facing pages: `prove.prove` and `verify.verify`, and in `shared` what both derive."""
