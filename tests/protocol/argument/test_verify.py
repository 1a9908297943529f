"""The argument checks by itself what its callers check before."""

from __future__ import annotations

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.argument import verify as argument
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.statement import decode_tensors
from tests.protocol.example import MAX_BATCH, proof, proving_key
from tests.records import replace


@pytest.mark.parametrize("batch", [0, MAX_BATCH + 1])
def test_other_numbers_of_samples_than_the_key_allows(batch: int) -> None:
    key, content = proving_key().verifying, proof_file.load(proof())
    statement = content.statement
    inputs = decode_tensors(key.inputs, 1, statement.inputs)
    outputs = decode_tensors(key.outputs, 1, statement.outputs)
    argument.verify(key, content, PublicValues(inputs, outputs), {})
    altered = replace(content, statement=replace(statement, batch=batch))
    with pytest.raises(VerificationError) as caught:
        argument.verify(key, altered, PublicValues(inputs, outputs), {})
    assert caught.value.check == Check.BATCH
