"""What a prover keeps to itself and counts: its secret, its budget of proofs, and seeds derived from both.

| module | what it has |
| --- | --- |
| `secret` | 32 bytes that never leave this package, and their file |
| `budget` | proofs that a key may still make, reserved before they are begun |
| `block` | numbers that a process has reserved |
| `reservation` | one proof of the budget, to be used once |
| `counter` | what the budget has on disk |
| `home` | where a folder of keys is, as far as that can be seen |
| `lock` | one process at a time |
| `seed` | seeds of proofs, of tails, and of the model's digest |

[Beyond one proof](../../docs/zero-knowledge.md) says why.
"""
