"""The prover's phases cut into parts: in each module the worker's methods and the coordinator's side."""
