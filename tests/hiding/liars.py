"""A prover that lies about its output, and hides that with a mask that it makes for a guessed epsilon."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.canonical import replace
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, verify_rounds
from deepprove_dist.protocol.argument import prove as argument
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.messages.public_integers import encode_tensor
from deepprove_dist.protocol.opening import prove as opening
from deepprove_dist.protocol.opening.mask import MaskedOpening
from tests.hiding.elements import coordinates, inverse
from tests.hiding.programmed import Programmed
from tests.hiding.toy import POOL, Toy, reservation


def proves_another_output(toy: Toy, epsilon: Extension) -> bool:
    """Whether a proof of a false output verifies, whose sigma would be right for `epsilon`."""
    content = toy.key.verifying
    outputs: dict[str, IntArray] = {name: values - 1 for name, values in toy.trace.outputs.items()}
    encoded = tuple(encode_tensor(tensor, outputs[tensor.name]) for tensor in content.outputs)
    statement = replace(toy.statement, outputs=encoded)
    public = PublicValues.of_arrays(content.system, toy.trace.values, outputs)
    instance, backend = content.instance(1), toy.key.backend
    witness = toy.key.witness(instance, toy.trace, statement, reservation(0))
    bind, claimed = opening.LocalMatrices.bind_columns, list[Extension]()

    def spy(matrices: Any, claims: Any, transcript: Any) -> Any:
        real = transcript.real if isinstance(transcript, Programmed) else transcript
        before = real.copy()
        bound = bind(matrices, claims, transcript)
        rounds = content.schedule.initial.column_rounds
        claimed.append(verify_rounds(rounds, bound.sent, claims.combined.value, before)[1])
        return bound

    def mask(bound: Any, hidden: Any, transcript: Any) -> MaskedOpening:
        (values, weights), random = bound.random_rows, hidden.of_mask
        product = bound.vector.weigh_mask() + weights.dot(random)
        columns = coordinates(bound.vector.values()).T.astype(np.int64).reshape(-1)
        inner = bound.vector._opening.weigh(BaseVector.from_array(columns), POOL) + values.dot(weights)
        product += (inner - claimed[0]) * inverse(epsilon)
        transcript.absorb_extension("mask/sigma", ExtensionVector([product]))
        drawn = transcript.challenge("mask/epsilon")
        bound.vector.add_mask(drawn)
        return MaskedOpening(product, values.plus(random.scaled(drawn)))

    with patch.object(opening.LocalMatrices, "bind_columns", spy), patch.object(opening, "_mask", mask):
        proof = argument.prove(content, statement, public, witness, backend)
    try:
        toy.verify(proof, public)
    except VerificationError:
        return False
    return True
