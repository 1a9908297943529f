"""What `bench.py` measures with: models, runs of this prover and its peers, tables and pictures."""
