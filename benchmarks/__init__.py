"""The benchmark behind `bench.py`: models, runs of this prover and its peers, tables and pictures."""
