"""The point of a commitment depends on all that the commitment does."""

from __future__ import annotations

import pytest

from deepprove_dist.canonical import replace
from deepprove_dist.protocol.messages.commitment import CommitmentSizes, commitment_point

SIZES = CommitmentSizes(log_rows=6, log_inverse_rate=2, columns=3, log_group=1, tail=5, shape=(2, 40))
ROOT = bytes(range(32))
OTHERS = {"log_rows": 7, "log_inverse_rate": 3, "columns": 4, "log_group": 2, "tail": 6, "shape": (40, 2)}


@pytest.mark.parametrize("name", OTHERS)
def test_the_point_is_another_one_for_other_sizes(name: str) -> None:
    other = replace(SIZES, **{name: OTHERS[name]})
    assert commitment_point(other, ROOT) != commitment_point(SIZES, ROOT)


def test_all_sizes_are_tried() -> None:
    assert set(OTHERS) == set(SIZES.__struct_fields__)


def test_the_point_is_another_one_for_another_root() -> None:
    assert commitment_point(SIZES, ROOT) == commitment_point(SIZES, bytes(ROOT))
    assert commitment_point(SIZES, bytes(32)) != commitment_point(SIZES, ROOT)
