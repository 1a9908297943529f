"""In a certificate both epochs' weights stand as they do in a proof."""

from __future__ import annotations

from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.certificate.shared import CertifiedWeights, weights_samples
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.key.weights import out_of_domain_point
from deepprove_dist.protocol.messages.certificate import start_transcript
from deepprove_dist.protocol.system.system import Matrix, System, space_bits
from tests.protocol.certificate.epochs import content, hiding_key
from tests.records import replace

KEY = hiding_key().verifying
CERTIFIED = CertifiedWeights.of(KEY)
STATEMENT = content(1).statement


def test_the_layout_is_that_of_the_tensors_twice() -> None:
    code = STATEMENT.schedule.initial
    weights = [tensor for tensor in KEY.system.tensors if tensor.matrix is Matrix.WEIGHTS]
    doubled = (*(replace(tensor, matrix=Matrix.ANCHOR) for tensor in weights), *weights)
    layout = lay_out(System(doubled, (), (), (), (), ()), code.log_rows, code=code)
    laid_out = CERTIFIED.lay_out(code)
    assert (laid_out.blocks, laid_out.columns, laid_out.addresses) == (
        layout.blocks,
        layout.columns,
        layout.addresses,
    )


def test_weights_have_the_positions_of_a_proof() -> None:
    code, instance = STATEMENT.schedule.initial, KEY.instance(1)
    layout, indices = CERTIFIED.lay_out(code), range(len(CERTIFIED.shapes))
    weights = [i for i, tensor in enumerate(instance.system.tensors) if tensor.matrix is Matrix.WEIGHTS]
    shift = code.weight_columns << code.log_rows
    for index, tensor in zip(indices, weights, strict=True):
        blocks = instance.layout.blocks[tensor]
        assert layout.blocks[index] == blocks
        moved = layout.blocks[len(weights) + index]
        assert moved == tuple(replace(block, position=block.position + shift) for block in blocks)


def test_there_is_a_claim_for_each_tensor() -> None:
    claims = CERTIFIED.claims(start_transcript(STATEMENT))
    assert len(claims) == len(CERTIFIED.shapes) == CERTIFIED.shape.claims == CERTIFIED.shape.public.count
    assert all(claim.value == Extension(0) and len(claim.terms) == 2 for claim in claims)
    assert CERTIFIED.shape.public.variables == max(map(space_bits, CERTIFIED.shapes))
    assert CERTIFIED.shape.products.rows == 0


def test_samples_are_at_the_points_of_the_key() -> None:
    """The certificate's schedule does not move them: the key's answers are about these points."""
    samples = weights_samples(KEY, STATEMENT)
    assert [sample.matrix for sample in samples] == [Matrix.ANCHOR, Matrix.WEIGHTS]
    for sample, epoch in zip(samples, (STATEMENT.old, STATEMENT.new), strict=True):
        assert sample.z == out_of_domain_point(KEY.security, epoch.root)
        assert sample.answer == epoch.answer
