"""How far noise at the inputs moves the outputs of a float model, without any rounding.

No quantisation can be much better than that. A deep network with random weights makes noise larger from layer
to layer, and so it does with roundings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.onnx_runtime import onnxruntime
from deepprove_dist.quantise.deviation import spread_error
from deepprove_dist.quantise.inquiry import NOISE
from deepprove_dist.quantise.select import held_out_indices

FLOATS = ("tensor(float)", "tensor(double)")


def noise_error(path: Path, inputs: Mapping[str, FloatArray]) -> float | None:
    """The error of the worst output over its spread, on the samples held out, for noise of NOISE.

    None where inputs are whole numbers, such as tokens: noise makes others of them.

    ``inputs`` [n, *shape] by name; a single one may have another name than the model's. Labels that a model
    gives beside its outputs do not count.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    if any(value.type not in FLOATS for value in session.get_inputs()):
        return None
    arrays = dict(inputs) if len(inputs) > 1 else dict(zip(names, inputs.values(), strict=True))
    for value in session.get_inputs():
        # A sample may come without the batch axis that the model has.
        if arrays[value.name].ndim == len(value.shape):
            arrays[value.name] = arrays[value.name][:, None]
    outputs = [value.name for value in session.get_outputs() if value.type in FLOATS]
    count = len(next(iter(arrays.values())))
    held_out = held_out_indices(count) if held_out_indices(count).size else np.arange(count)
    generator = np.random.default_rng(0)
    noisy = {
        name: values + NOISE * values.std() * generator.normal(size=values.shape)
        for name, values in arrays.items()
    }
    expected, moved = (
        [
            session.run(outputs, {name: values[index].astype(np.float32) for name, values in given.items()})
            for index in held_out
        ]
        for given in (arrays, noisy)
    )
    return max(
        spread_error(np.stack(before).astype(np.float64), np.stack(after).astype(np.float64))
        for before, after in zip(zip(*expected, strict=True), zip(*moved, strict=True), strict=True)
    )
