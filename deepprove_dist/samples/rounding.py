"""From real inputs to the integers of a model, and which inputs lie outside its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray, Mask
from deepprove_dist.errors import InputRangeError, SamplesError
from deepprove_dist.protocol.system.named_tensor import NamedTensor
from deepprove_dist.samples.arrays import require_finite


class HasInputs(Protocol):
    """An integer model, or the content of its verifying key."""

    @property
    def inputs(self) -> Sequence[NamedTensor]:
        """Its inputs."""


def quantise_inputs(
    model: HasInputs, values: Mapping[str, FloatArray], clamp: bool = False
) -> dict[str, IntArray]:
    """Rounds inputs [N, *shape] to the model's integers, halves to even.

    Raises:
        InputRangeError: for a value beyond the range, unless `clamp` moves it to the nearest end. It names
            the value, the range and what helps.
        SamplesError: for NaN and infinity, in any case.
    """
    integers = {}
    for tensor, rounded in _rounded(model, values):
        if not clamp and (rounded.min() < tensor.lo or rounded.max() > tensor.hi):
            beyond = (rounded < tensor.lo) | (rounded > tensor.hi)
            sample, index = np.argwhere(beyond.reshape(len(beyond), -1))[0]
            value = values[tensor.name].reshape(len(beyond), -1)[sample, index]
            lowest, highest = (ends.ravel()[index] for ends in real_range(tensor))
            raise InputRangeError(
                f"input '{tensor.name}', sample {sample}, flat index {index}: {value:g} lies outside the "
                f"calibrated range [{lowest:g}, {highest:g}]",
                clamps=True,
            )
        within = np.clip(rounded, tensor.lo, tensor.hi) if clamp else rounded
        integers[tensor.name] = within.astype(np.int64)
    return integers


def real_range(tensor: NamedTensor) -> tuple[FloatArray, FloatArray]:
    """The smallest and the largest real value that each element may have, of the tensor's shape."""
    scale = np.broadcast_to(tensor.scale.array, tensor.shape)
    return tensor.lo * scale, tensor.hi * scale


def outside(model: HasInputs, values: Mapping[str, FloatArray]) -> dict[str, Mask]:
    """Of each input, which samples [N] have a value beyond the model's range."""
    masks: dict[str, Mask] = {}
    for tensor, rounded in _rounded(model, values):
        beyond = (rounded < tensor.lo) | (rounded > tensor.hi)
        masks[tensor.name] = np.any(beyond.reshape(len(beyond), -1), axis=1)
    return masks


def _rounded(model: HasInputs, values: Mapping[str, FloatArray]) -> list[tuple[NamedTensor, FloatArray]]:
    result = []
    for tensor in model.inputs:
        if tensor.name not in values or values[tensor.name].shape[1:] != tensor.shape:
            raise SamplesError(
                f"input '{tensor.name}' is missing, or not of shape [samples, *{tensor.shape}]"
            )
        require_finite(f"input '{tensor.name}'", values[tensor.name])
        # Infinite quotients lie outside every range.
        with np.errstate(over="ignore"):
            quotients = values[tensor.name] / tensor.scale.array
            if tensor.scale.is_single_precision:
                # Such a scale is mostly a model's own: quotients are of single precision then, as in ONNX.
                quotients = quotients.astype(np.float32).astype(np.float64)
            result.append((tensor, np.rint(quotients)))
    return result
