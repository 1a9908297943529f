"""The proof system: from a lowered model to a proof, and what a verifier needs of it.

The folders stand in the order of their imports: each knows only those above it in this table.

| folder | what it has |
| --- | --- |
| `parameters` | sizes, schedule of the opening, soundness account, cost model |
| `system` | what is proven: tensors, relations, lookups; the checks that a system states a function |
| `messages` | what is sent: statement and proof, as values and as bytes; rejections |
| `claims` | linear claims, the addresses that they speak of, the claims of public tensors |
| `hidden` | hidden inputs and outputs: commitments in the place of integers |
| `products` | constraints on products of sent values: one by one, or hidden by a small sumcheck |
| `relations` | the sumcheck of relations and products, which ends in claims |
| `lookup` | the lookup argument (logup-GKR), which ends in claims |
| `opening` | the WHIR argument, which proves all claims at once |
| `key` | the verifying key, and what follows from it for a number of samples |
| `argument` | all steps in order: prove and verify on facing pages |
| `certificate` | proofs that a new epoch has the weights of an older one |
"""
