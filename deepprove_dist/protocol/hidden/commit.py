"""Making the commitment to a hidden input or output: a function of sizes, integers and seed alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Encoder,
    ExtensionVector,
    Pool,
    random_values,
)
from deepprove_dist.kernels import Commitment as Tree
from deepprove_dist.protocol.claims.layout import place_tensor
from deepprove_dist.protocol.messages.commitment import Commitment, CommitmentSizes, commitment_point
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class HiddenMatrix:
    """A committed tensor as a prover holds it.

    Attributes:
        commitment: to it, for the statement.
        matrix: its integers and random rows, column by column.
        tree: over the matrix's code.
        seed: of its random rows, 32 bytes.
    """

    commitment: Commitment
    matrix: BaseVector = field(repr=False)
    tree: Tree = field(repr=False)
    seed: bytes = field(repr=False)


@timed("commitment to a hidden tensor", "proving")
def commit_tensor(
    sizes: CommitmentSizes, values: BaseVector, seed: bytes, encoder: Encoder, pool: Pool
) -> HiddenMatrix:
    """Commits `values`, prod(sizes.shape) in row-major order; `seed`, 32 bytes, gives its random rows."""
    rows = 1 << sizes.log_rows
    blocks = place_tensor(sizes.shape, sizes.log_rows, sizes.tail)
    matrix = BaseVector.arranged(0, sizes.columns << sizes.log_rows, [(values, sizes.shape, blocks)])
    matrix = matrix.with_tails(rows, random_values(seed, "tails", 0, sizes.columns * sizes.tail))
    code = CodeShape(sizes.log_rows, sizes.columns, sizes.log_inverse_rate, sizes.log_group)
    tree = Tree.of_base(matrix, code, encoder, pool)
    z = commitment_point(sizes, tree.root)
    columns = matrix.column_values(rows, z, pool)
    answer = columns.dot(ExtensionVector.powers(z**rows, sizes.columns))
    return HiddenMatrix(Commitment(sizes, tree.root, answer), matrix, tree, seed)
