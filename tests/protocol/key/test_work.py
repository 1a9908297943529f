"""The work of a key counts what a verifier does; large networks stay far below its limit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepprove_dist.kernels import Extension
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.key import key_file, work
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.lookup.tree import StoredRow, lay_out_leaves
from deepprove_dist.protocol.parameters import Code, Schedule, choose
from deepprove_dist.protocol.system.check_expressions import MAX_STEP
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Matrix, System
from tests.attacks.effort import bounded_effort
from tests.protocol.example import proving_key
from tests.protocol.large_networks import resnet50, vgg16
from tests.protocol.parameters.shapes import hiding_code, initial_code
from tests.protocol.relations import test_joined_axes as joined
from tests.protocol.system import test_arg_max as arg_maxima
from tests.protocol.system import test_public_selection as selection
from tests.protocol.system.mapped_system import PLACES, SLIDE, STEP, SYSTEM
from tests.records import replace


def test_the_work_of_a_check_counts_every_position_that_is_visited() -> None:
    system = SYSTEM.for_batch(1)
    layout = lay_out(system, 6)
    term, constant = work.TERM + 3 * work.PASSED_AXIS, work.CONSTANT + 3 * work.PASSED_AXIS
    # x and its gains have a block of three axes; a window has 4 outputs of one tap, over 8 places of x. Both
    # windows read the same weights of outputs.
    window, outputs = 4 + work.EXPLICIT_WEIGHT * 8, work.EXPLICIT_WEIGHT * 4
    step = 2 * (term + 3 + window + 8 // work.VALUES_A_STEP) + outputs + constant + 2 * work.RANGE
    stored = term + 3
    lookup = work.STATEMENT + 3 * work.AXIS + step + stored
    # The weights have two blocks. Three taps are spread from 4 places to 8 indices, which are listed.
    weights = work.TERM + 2 * work.PASSED_AXIS + 2 * 2
    listed = (4 + 8) * 3 + work.EXPLICIT_WEIGHT * (4 + 8 + 3)
    places = work.EXPLICIT_WEIGHT * 8 + stored + 8 // work.VALUES_A_STEP
    product = work.STATEMENT + 5 * work.AXIS + listed + weights + places
    relation = work.STATEMENT + 3 * work.AXIS + stored
    # Counts have two blocks. The table has two pieces, a step together.
    table = 2 * work.LEAF_BLOCK + 1
    expected = lookup + relation + product + table
    assert work.work(system, layout, lay_out_leaves(system, layout)) == expected


def test_joined_axes_cost_the_products_of_their_weights() -> None:
    def counted(system: System) -> int:
        instance = system.for_batch(1)
        layout = lay_out(instance, 6)
        return work.work(instance, layout, lay_out_leaves(instance, layout))

    # Sizes 3 and 2 have a closed form, 2 and 3 have none: six products, computed and listed, and six places
    # in the blocks of x.
    closed, open_ = joined.following(0, joined.joined(2, 1)), joined.following(0, joined.joined(1, 2))
    assert closed == joined.SYSTEM
    listed = 2 * work.EXPLICIT_WEIGHT * 6
    assert counted(open_) - counted(closed) == listed + 6 // work.VALUES_A_STEP
    constant = work.CONSTANT + 3 * work.PASSED_AXIS + work.RANGE
    joining = 2 * work.AXIS
    assert counted(joined.constant((1,), 0, 1)) - counted(closed) == constant
    assert counted(joined.constant((2, 1), 0, 1)) - counted(closed) == constant + joining
    assert counted(joined.constant((1, 2), 0, 1)) - counted(closed) == constant + joining + listed


def test_taps_of_outputs_that_count_as_nothing_are_visited_too() -> None:
    """A window on no output at all, of very many taps, would cost a verifier an hour."""

    def counted(axis: IndexMap) -> int:
        step = replace(STEP, terms=(replace(STEP.terms[0], axes=(0, 1, axis)), *STEP.terms[1:]))
        (lookup,) = SYSTEM.lookups
        instance = replace(SYSTEM, lookups=(replace(lookup, columns=(step, lookup.columns[1])),)).for_batch(1)
        layout = lay_out(instance, 6)
        return work.work(instance, layout, lay_out_leaves(instance, layout))

    nowhere = replace(SLIDE, end=0)
    assert counted(nowhere) == counted(SLIDE)
    assert counted(replace(nowhere, taps=MAX_STEP)) == counted(SLIDE) + PLACES * (MAX_STEP - 1)


def test_the_work_of_an_opening_counts_columns_and_the_final_vector() -> None:
    initial = initial_code(12, 3, 5, 3, 0, 0, 40)
    assert work.opening_work(Schedule(initial, ())) == 8 * work.COLUMN + 40 * 4096 // work.VALUES_A_STEP
    folded = Schedule(initial, (Code(8, 4, 5, 20),))
    assert work.opening_work(folded) == 8 * work.COLUMN + 20 * 256 // work.VALUES_A_STEP
    # Random rows are sent in clear and evaluated at each query: few bytes of a key could ask for very many.
    hiding = replace(folded, initial=hiding_code(12, 3, 40, weights=5, witness=5))
    random_rows = 40 * (40 + 10 * 4 + 16)
    assert work.opening_work(hiding) == 10 * work.COLUMN + (20 * 256 + random_rows) // work.VALUES_A_STEP


def test_each_row_of_a_public_index_is_counted() -> None:
    """Its two constants are no part of a key: few bytes could ask for very many."""

    def counted(batch: int, *, indices: bool) -> int:
        system = arg_maxima.SYSTEM if indices else replace(arg_maxima.SYSTEM, arg_maxima=())
        instance = system.for_batch(batch)
        layout = lay_out(instance, 9)
        return work.work(instance, layout, lay_out_leaves(instance, layout))

    row = work.INDEX + 2 * 3 * (work.PASSED_AXIS + work.RANGE)
    for batch in (1, 16):
        assert counted(batch, indices=True) - counted(batch, indices=False) == 3 * batch * row


def test_each_index_of_a_public_selection_is_counted() -> None:
    """A statement's list is no part of a key: few bytes could ask for a long one."""

    def counted(batch: int) -> int:
        instance = selection.SYSTEM.for_batch(batch)
        layout = lay_out(instance, 9)
        return work.work(instance, layout, lay_out_leaves(instance, layout))

    def blocks(batch: int) -> int:
        plain = replace(selection.SYSTEM, relations=())
        layout = lay_out(plain.for_batch(batch), 9)
        leaves = lay_out_leaves(plain.for_batch(batch), layout)
        return work.work(plain.for_batch(batch), layout, leaves)

    # An index is looked up, and its weight is a product of those of three axes, computed and listed.
    index = 1 + work.EXPLICIT_WEIGHT + 2 * work.EXPLICIT_WEIGHT
    relations = [counted(batch) - blocks(batch) for batch in (64, 128)]
    assert relations[1] - relations[0] >= 64 * 6 * index


def test_leaves_of_stored_columns_are_counted() -> None:
    instance = proving_key().verifying.instance(1)
    blocks = sum(len(row.blocks) for row in instance.leaves.rows if isinstance(row, StoredRow))
    counted = work.work(instance.system, instance.layout, instance.leaves)
    without = work.work(instance.system, instance.layout, replace(instance.leaves, rows=()))
    assert counted - without == blocks * work.LEAF_BLOCK > 0


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize(("make", "share"), [(resnet50, 5), (vgg16, 16)])
def test_keys_of_large_networks_are_read(make: Callable[[], IntegerModel], share: int, batch: int) -> None:
    """ResNet-50 for images of 224 x 224, and VGG16 for 32 x 32."""
    system = lower(make()).system
    largest = system.for_batch(batch)
    weights, witness = (largest.values(matrix) for matrix in (Matrix.WEIGHTS, Matrix.WITNESS))
    schedule = choose(weights, witness, protocol_shape(largest))
    commitment = WeightCommitment(bytes(32), Extension(0))
    data = key_file.dump(KeyContent(system, schedule, batch, bytes(32), commitment))
    with bounded_effort(steps=1 << 20):
        instance = key_file.load(data).instance(batch)
    steps = work.work(instance.system, instance.layout, instance.leaves) + work.opening_work(schedule)
    assert steps < work.MAX_WORK / share
