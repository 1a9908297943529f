"""Many workers, one proof: executors that reach workers, and the prover's operations cut into parts."""
