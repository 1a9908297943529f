"""Whole numbers whose bounds are far beyond what they ever are: ids of leaves, as sums over all leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import deepprove_dist as dp
from tests.importing.onnx_comparison import model

LEAVES = 120
"""Their ids add up to 7140, more than a narrow tensor holds."""


def leaf_names(keys: int = LEAVES) -> onnx.ModelProto:
    """The id of the leaf that is reached, and a number that it stands for."""
    source = model(
        f"""g (float[1,{LEAVES}] x) => (float[1,1] y) <float[1] half = {{0.5}}> {{
        reached = Greater (x, half)
        counts = Cast <to=1> (reached)
        sum = MatMul (counts, ids)
        id = Cast <to=7> (sum)
        same = Equal (id, keys)
        bits = Cast <to=1> (same)
        y = MatMul (bits, names) }}"""
    )
    random = np.random.default_rng(1)
    for name, values in (
        ("ids", np.arange(LEAVES, dtype=np.float32)[:, None]),
        ("keys", np.arange(keys)[None]),
        ("names", random.normal(size=(keys, 1)).astype(np.float32)),
    ):
        source.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return source


@pytest.mark.parametrize("bits", [8, 12])
def test_ids_are_not_rounded(bits: int, tmp_path: Path) -> None:
    """With a scale that is no whole number no id would equal its key."""
    source = leaf_names()
    chosen = np.random.default_rng(0).integers(0, LEAVES, size=200)
    x = np.eye(LEAVES)[chosen][:, None]
    keys = dp.setup(source, x, activation_bits=bits, transparent=True, threads=1)
    assert not keys.report.warnings
    assert max(output.error for output in keys.report.outputs) < 0.01
    proof = keys.prove(x[0])
    names = onnx.numpy_helper.to_array(source.graph.initializer[-1]).reshape(-1)
    assert proof.output["y"].item() == pytest.approx(names[chosen[0]], abs=0.02)
    keys.save(tmp_path / "keys")
    assert dp.audit(tmp_path / "keys", source, samples=x, threads=1).same


def test_ids_beyond_calibrated_ones_are_still_exact() -> None:
    x = np.eye(LEAVES)[np.arange(200) % 40][:, None]
    keys = dp.setup(leaf_names(), x, activation_bits=8, accept_error=True, transparent=True, threads=1)
    seen, other = (np.eye(LEAVES)[leaf][None] for leaf in (3, 90))
    names = onnx.numpy_helper.to_array(leaf_names().graph.initializer[-1]).reshape(-1)
    assert keys.infer(seen).output["y"].item() == pytest.approx(names[3], abs=0.02)
    assert keys.infer(other).output["y"].item() == pytest.approx(
        np.clip(names[90], names[:40].min(), names[:40].max()), abs=0.05
    )
