"""A weight matrix read from a file, block by block and part by part, is the one arranged in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.phases import loading
from deepprove_dist.execution.phases.loading import _flat, _WeightFile
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.kernels import BaseVector, random_values
from deepprove_dist.model.constants import ConstantLocation, index_constants
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.claims.layout import arrange
from deepprove_dist.protocol.system.system import Matrix
from tests.execution.shared_keys import Example, example, network

SEED = bytes(range(1, 33))


@pytest.fixture(scope="module", params=[False, True], ids=["transparent", "hiding"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(network(), tmp_path_factory.mktemp("small"), hiding=request.param)


def test_columns_are_those_of_the_arranged_matrix(small: Example) -> None:
    key = small.key
    instance = key.verifying.instance(key.verifying.max_batch)
    layout, rows = instance.layout, 1 << instance.layout.log_rows
    locations = index_constants(small.path)
    constants = {tensor: locations[name] for tensor, name in lower(key.model).constants.items()}
    width = layout.columns[Matrix.WEIGHTS]
    matrix = arrange(instance.system, layout, Matrix.WEIGHTS, key.backend.vectors)
    tail = key.verifying.schedule.initial.tail("weights")
    assert (tail > 0) == (key.secret is not None)
    if tail:
        matrix = matrix.with_tails(rows, random_values(SEED, "tails", 0, tail * width))
    whole = matrix.to_array()
    assert width > 4
    file = _WeightFile(instance, small.path, constants, tail, SEED)
    for step in (1, 3, width):
        for first in range(0, width, step):
            end = min(first + step, width)
            expected = whole[first * rows : end * rows]
            assert (file.columns(first, end, (0, 0)).to_array() == expected).all()
            for part in range(4):
                assert (file.columns(first, end, (2, part)).to_array() == expected[part::4]).all()


@pytest.mark.parametrize("values", [1, 1 << 9, 5 << 8])
def test_any_block_size_gives_the_same_commitment(
    small: Example, monkeypatch: pytest.MonkeyPatch, values: int
) -> None:
    monkeypatch.setattr(loading, "BLOCK_VALUES", values)
    assert small.prove(small.shared(InProcessExecutor(3, create_worker))) == small.proof


@pytest.mark.parametrize("dtype", ["<i1", "<i2", "<i4", "<i8"])
@pytest.mark.parametrize("offset", [0, 1, 7])
def test_constants_of_all_widths_at_any_address(tmp_path: Path, dtype: str, offset: int) -> None:
    path, info = tmp_path / "constants", np.iinfo(dtype)
    ends = [max(info.min, -(1 << 30)), 0, 5, min(info.max, 1 << 30)]
    path.write_bytes(b"x" * offset + np.array(ends, dtype=dtype).tobytes())
    vector = _flat(ConstantLocation(offset, dtype, (2, 2)), path)
    assert bytes(vector) == bytes(BaseVector.from_array(np.array(ends, dtype=np.int64)))
