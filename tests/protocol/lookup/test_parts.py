"""A fraction tree by parts sends what the whole tree sends; parts that lie are found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Pool, Rejected, Transcript
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.lookup.parts import FractionParts, prove_by_parts
from deepprove_dist.protocol.lookup.prove import prove_lookups
from deepprove_dist.protocol.lookup.tree import Challenges, count_values
from deepprove_dist.protocol.lookup.verify import verify_lookups
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.products.check import require_products
from deepprove_dist.prover import Prover
from deepprove_dist.samples import read_samples
from deepprove_dist.samples.rounding import quantise_inputs
from tests.protocol.lookup.local_parts import LocalParts, split_values
from tests.protocol.naive import challenges
from tests.records import replace

MODELS = Path(__file__).parents[3] / "assets" / "models"
POOL = Pool(1)
NO_PADS = ExtensionVector([])


@cache
def witness_of(model: str) -> tuple[Prover, Instance, Witness]:
    folder = MODELS / model
    key = dp.setup(folder / "model.onnx", folder / "calibration.npz", threads=1, transparent=True).prover
    shapes = {tensor.name: tensor.shape for tensor in key.model.inputs}
    sample = read_samples(folder / "calibration.npz", shapes).select(0)
    trace = key.runner.run(quantise_inputs(key.model, sample.inputs, clamp=True))
    instance = key.verifying.instance(1)
    statement = StatementBytes(key.verifying.digest, None, 1, (), (), b"")
    return key, instance, key.witness(instance, trace, statement)


def local_parts(model: str, log_parts: int, transcript: Transcript) -> LocalParts:
    _, instance, witness = witness_of(model)
    system, leaves = instance.system, instance.leaves
    drawn = Challenges.draw(transcript)
    values = split_values(system, leaves, witness.matrix, witness.tensors, log_parts)
    return LocalParts.of(system, leaves, instance.layout, values, drawn, POOL)


# The kernels need two registers of leaves a part, which these models have for 16 parts and more.
@pytest.mark.parametrize("log_parts", range(5))
@pytest.mark.parametrize("model", ["digits_mlp", "digits_lenet62k"])
@pytest.mark.parametrize("padded", [False, True], ids=["plain", "padded"])
def test_parts_of_a_real_model_send_what_its_prover_sends(model: str, log_parts: int, padded: bool) -> None:
    key, instance, witness = witness_of(model)
    whole = Transcript(b"test")
    run = key.backend.begin(instance, witness)
    levels = instance.leaves.levels
    pads = challenges(1, count_values(levels) if padded else 0)
    expected = prove_lookups(instance.leaves, run, whole, Pads(len(pads), pads))
    for gather_log in sorted({log_parts, 7, levels - 2, levels}):
        transcript = Transcript(b"test")
        parts = local_parts(model, log_parts, transcript)
        sent = prove_by_parts(parts, levels, gather_log, transcript, pads, POOL)
        assert bytes(sent) == bytes(expected)
        assert transcript.digest() == whole.digest()


@dataclass(frozen=True)
class Lying:
    """The first part adds 1 to the first value that it returns from one method."""

    honest: FractionParts
    method: str

    def layer(self, level: int) -> Sequence[ExtensionVector]:
        return self._alter("layer", self.honest.layer(level))

    def start(self, z: ExtensionVector, batching: Extension) -> Sequence[ExtensionVector]:
        return self._alter("start", self.honest.start(z, batching))

    def fold(self, r: Extension) -> Sequence[ExtensionVector]:
        return self._alter("fold", self.honest.fold(r))

    def gather(self, r: Extension) -> Sequence[ExtensionVector]:
        return self._alter("gather", self.honest.gather(r))

    def _alter(self, method: str, vectors: Sequence[ExtensionVector]) -> Sequence[ExtensionVector]:
        if method != self.method:
            return vectors
        first, *others = vectors
        return [ExtensionVector([first[0] + 1]) + first[1:], *others]


@pytest.mark.parametrize("method", ["layer", "start", "fold", "gather"])
def test_a_part_that_lies_is_rejected(method: str) -> None:
    transcript = Transcript(b"test")
    parts = Lying(local_parts("digits_mlp", 2, transcript), method)
    levels = witness_of("digits_mlp")[1].leaves.levels
    with pytest.raises(Rejected, match="fraction tree"):
        prove_by_parts(parts, levels, 5, transcript, NO_PADS, POOL)


def test_a_part_with_a_witness_of_its_own_makes_no_proof() -> None:
    """What it hands over is consistent with what it sends: the verifier finds it, not the coordinator."""
    _, instance, witness = witness_of("digits_mlp")
    system, leaves, layout = instance.system, instance.leaves, instance.layout
    first, *others = split_values(system, leaves, witness.matrix, witness.tensors, 1)
    # Whatever stands at the first places, none is a row of its table any more.
    rows = first.rows.to_array().astype(np.int64)
    rows[:64] += 1 << 20
    altered = [replace(first, rows=BaseVector.from_array(rows)), *others]
    transcript = Transcript(b"test")
    parts = LocalParts.of(system, leaves, layout, altered, Challenges.draw(transcript), POOL)
    sent = prove_by_parts(parts, leaves.levels, 5, transcript, NO_PADS, POOL)
    result = verify_lookups(system, leaves, sent, Transcript(b"test"), Pads(0))
    with pytest.raises(VerificationError, match="add up to zero"):
        require_products(result.products)


def test_too_early_a_layer_is_refused() -> None:
    transcript = Transcript(b"test")
    parts = local_parts("digits_mlp", 2, transcript)
    levels = witness_of("digits_mlp")[1].leaves.levels
    with pytest.raises(ValueError, match="does not have this layer"):
        prove_by_parts(parts, levels, 1, transcript, NO_PADS, POOL)
