"""Runs of a model that is judged: what a runner gives, and no output is computed twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.integer_runs import IntegerRuns
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.output_errors import OutputErrors
from deepprove_dist.quantise.select import quantise_best
from tests.model.small_model import small_model
from tests.quantise.inexact import exact

VALUES = np.random.default_rng(0).integers(0, 4, size=(7, 1, 2, 2))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the parts that are run."""
    parts, run = list[int](), IntegerRunner._tensors

    def counting(runner: IntegerRunner, inputs: Mapping[str, IntArray], kept: list[str]) -> object:
        parts.append(len(next(iter(inputs.values()))))
        return run(runner, inputs, kept)

    monkeypatch.setattr(IntegerRunner, "_tensors", counting)
    return parts


@pytest.mark.parametrize("threads", [0, 2])
def test_known_outputs_are_not_computed_again(threads: int, counted: list[int]) -> None:
    model = small_model()
    (source,), outputs = model.inputs, [output.name for output in model.outputs]
    inputs = {source.name: VALUES % (source.hi + 1)}
    expected = IntegerRunner(model).outputs(inputs)
    counted.clear()
    runs = IntegerRuns(model)
    for names in (outputs, [*outputs, source.name]):
        parts = list(runs.tensors(inputs, names, 3, threads))
        for name in outputs:
            assert np.array_equal(np.concatenate([part[name] for part in parts]), expected[name])
        assert all(part.keys() == set(names) for part in parts)
    assert counted == [3, 3, 1]


def test_tensors_between_are_computed(counted: list[int]) -> None:
    model = small_model()
    inputs = {model.inputs[0].name: VALUES % (model.inputs[0].hi + 1)}
    expected = IntegerRunner(model).run(inputs)
    between = [node.output for node in model.nodes]
    for _ in range(2):
        (part,) = IntegerRuns(model).tensors(inputs, between, len(VALUES))
        assert all(np.array_equal(part[name], expected.values[name]) for name in between)
    assert counted == [7, 7]


def test_what_is_not_promising_is_run_no_further(counted: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepprove_dist.quantise.output_errors.samples_at_once", lambda elements: 1)
    case = exact()
    float_model = FloatModel(case.imported, threads=1)
    quantised = quantise_best(float_model, case.calibration).final.quantised
    judging = Marked(case.calibration.first(8), np.ones(8, dtype=bool))
    outputs = float_model.graph.outputs
    runs = list(float_model.run(judging.samples, outputs.values()))
    expected = {name: np.stack([run[tensor] for run in runs]) for name, tensor in outputs.items()}
    whole = OutputErrors.of(quantised, float_model, judging, expected)
    vars(quantised).pop("runs")
    counted.clear()
    some = OutputErrors.of(
        quantised, float_model, judging, expected, lambda errors: bool((errors.squares > 0).sum() < 3)
    )
    assert len(counted) == 3
    assert np.array_equal(some.squares[:, :3], whole.squares[:, :3])
    assert not some.squares[:, 3:].any()
    assert (some.largest <= whole.largest).all()
    # What holds of some samples' errors is no more of all of them.
    assert some.nowhere_above(whole)
