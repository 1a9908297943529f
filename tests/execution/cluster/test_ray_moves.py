"""The time for bundles to move is counted once for all that are lost together."""

from __future__ import annotations

from deepprove_dist.execution.cluster.ray_moves import MOVE_SECONDS, BundleMoves


def test_all_bundles_of_a_lost_node_have_the_same_time() -> None:
    now = 100.0
    moves = BundleMoves(lambda: now)
    moves.look(range(4), {0, 1, 2, 3})
    assert not any(map(moves.overdue, range(4)))
    moves.look(range(4), {0})
    now += MOVE_SECONDS + 0.1
    moves.look(range(4), {0, 1})
    assert [moves.overdue(bundle) for bundle in range(4)] == [False, False, True, True]


def test_a_bundle_that_moved_has_all_of_its_time_again() -> None:
    now = 0.0
    moves = BundleMoves(lambda: now)
    moves.look([0], [])
    now += 2.0
    moves.look([0], [0])
    now += 2.0
    moves.look([0], [])
    now += 2.0
    assert not moves.overdue(0)
    now += 2.0
    assert moves.overdue(0)


def test_a_look_of_long_ago_is_forgotten() -> None:
    now = 0.0
    moves = BundleMoves(lambda: now)
    moves.look([0], [])
    now += 60.0
    moves.look([0], [])
    assert not moves.overdue(0)
