"""Which inputs of a node's case are computed, and with which samples: what is tried, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

SAMPLES = 16
MOVED = 0.5
Arrays = dict[str, npt.NDArray[Any]]

# What the standard calls inputs that say how a node computes, and are constants in nearly all models.
_SETTINGS = frozenset(
    (
        *("shape", "axes", "axis", "starts", "ends", "steps", "repeats", "pads", "sizes", "split", "k", "K"),
        *("indices", "index", "depth", "sequence_lens", "M", "cond", "diagonal", "output_shape", "size"),
        *("start", "limit", "delta", "scales", "roi", "constant_value", "values", "image_shape"),
        *("block_shape", "condition", "ratio", "training_mode", "window_length", "dft_length"),
        *("x_scale", "x_zero_point", "y_scale", "y_zero_point", "a_scale", "a_zero_point", "b_scale"),
        *("b_zero_point", "w_scale", "w_zero_point", "T", "k_value"),
    )
)


# Operators all of whose inputs are settings.
_OF_SETTINGS = frozenset(("ConstantOfShape", "HannWindow", "HammingWindow", "BlackmanWindow"))


def choices_of_computed(model: onnx.ModelProto, arguments: Arrays) -> Iterator[tuple[str, ...]]:
    """The inputs that are computed, the others being constants; from all of them down to one, or none.

    First all; then all but settings; then the first tensor of floats alone, and the last one alone. Those of
    integers come last.
    """
    names = tuple(arguments)
    settings = _settings(model) | {name for name, value in arguments.items() if not value.size}
    data = tuple(name for name in names if name not in settings)
    floats = tuple(name for name in data if arguments[name].dtype.kind == "f") or data
    others = tuple(name for name in data if name not in floats)
    yield from filter(None, dict.fromkeys((names, data, floats, floats[:1], floats[-1:], others)))
    if not data:
        yield data


def _settings(model: onnx.ModelProto) -> frozenset[str]:
    """The graph's inputs that some node reads as a setting."""
    opset = next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 1)
    names = set[str]()
    for node in model.graph.node:
        if not onnx.defs.has(node.op_type, opset, node.domain):
            continue
        formal = onnx.defs.get_schema(node.op_type, opset, node.domain).inputs
        pairs = list(zip(node.input, formal, strict=False))
        names.update(name for name, item in pairs if item.name in _SETTINGS or node.op_type in _OF_SETTINGS)
    return frozenset(names) & {value.name for value in model.graph.input}


def samples_of(inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """The inputs themselves, then others with values in their ranges.

    Elements change their positions along the last axis. In every second sample all floats of a tensor move
    towards one of them, too. So samples stay in the domain of functions whose domain is an interval.
    """
    rng = np.random.default_rng(0)
    return {name: np.stack([value, *_others(value, rng)]) for name, value in inputs.items()}


def _others(value: npt.NDArray[Any], rng: np.random.Generator) -> Iterator[npt.NDArray[Any]]:
    movable = value.size > 0 and value.dtype.kind == "f" and bool(np.isfinite(value).all())
    for number in range(1, SAMPLES):
        shuffled = rng.permuted(value, axis=-1) if value.ndim else value
        if movable and number % 2:
            share, target = rng.uniform(0, MOVED), float(rng.choice(value.reshape(-1)))
            yield ((1 - share) * shuffled.astype(np.float64) + share * target).astype(value.dtype)
        else:
            yield shuffled
