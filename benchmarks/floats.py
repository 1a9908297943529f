"""The float network on the scored samples: what accuracy the integers are to be compared with.

It is the network that PyTorch trained and exported, run by ONNX Runtime, so that it needs no PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnxruntime

from benchmarks.answers import is_right
from benchmarks.models import Model
from benchmarks.rows import Row
from deepprove_dist.cpu import default_threads
from deepprove_dist.quantise.float_model import FloatModel


def float_rows(model: Model, run: int) -> Iterator[Row]:
    """A row for each sample: whether the float network's answer is right."""
    output = next(iter(model.imported.graph.outputs.values()))
    for sample, values in enumerate(FloatModel(model.imported).run(model.scored)):
        yield Row(
            model.name,
            run,
            sample,
            correct=is_right(values[output], model.scored, sample),
            threads=default_threads(),
            runtime=f"onnxruntime {onnxruntime.__version__}",
        )
