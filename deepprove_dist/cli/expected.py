"""The input and output that a caller expects a proof to be about, read from files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import InputError
from deepprove_dist.protocol.system.system import PublicTensor


def expected_input(path: Path, index: range, tensors: Sequence[PublicTensor]) -> dict[str, FloatArray]:
    """The samples at `index` of a file: float64 [samples, *shape] by name.

    Raises:
        SamplesError: where the file cannot be read, or does not fit the tensors.
    """
    from deepprove_dist.samples import read_samples

    samples = read_samples(path, {tensor.name: tensor.shape for tensor in tensors})
    return dict(samples.select(index).inputs)


def expected_output(path: Path, index: range, tensors: Sequence[PublicTensor]) -> dict[str, FloatArray]:
    """Outputs, float64 [samples, *shape] by name, from what `prove --json` printed, or rows of .npz, .npy.

    Raises:
        InputError: where the file cannot be read, or does not fit the tensors.
    """
    if path.suffix != ".json":
        return expected_input(path, index, tensors)
    from deepprove_dist.samples import arrange

    try:
        output = json.loads(path.read_text(encoding="utf-8"))["output"]
        values = {tensors[0].name: output} if len(tensors) == 1 else output
        return {tensor.name: arrange(str(path), values[tensor.name], tensor.shape) for tensor in tensors}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not the JSON object of a proof, with its key 'output'") from error
