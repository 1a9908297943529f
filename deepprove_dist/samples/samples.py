"""Samples for calibration, scoring and proving: inputs by name, and what a model should answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray, Shape
from deepprove_dist.errors import SamplesError
from deepprove_dist.samples.arrays import arrange, require_same_count


@dataclass(frozen=True)
class Samples:
    """N samples.

    Attributes:
        inputs: by the name of the graph input, finite float64 [N, *shape]. The batch axis of 1 that the
            shape of an ONNX input has is part of the shape.
        labels: the right class of each sample, int64 [N].
        targets: real values that a model should give, flat, float64 [N, n].
    """

    inputs: Mapping[str, FloatArray]
    labels: IntArray | None = None
    targets: FloatArray | None = None

    @classmethod
    def from_arrays(
        cls, arrays: npt.NDArray[Any] | Mapping[str, npt.ArrayLike], shapes: Mapping[str, Shape]
    ) -> Samples:
        """Samples without labels, from one array for a model of one input, or from arrays by input name.

        The first axis counts samples. Rows are flat, or have the shapes given, up to axes of size 1.

        Raises:
            SamplesError: naming input and shapes.
        """
        if not isinstance(arrays, Mapping):
            arrays = {only_input(shapes, "samples", "an array"): arrays}
        if set(arrays) != set(shapes):
            raise SamplesError(
                f"samples are of {sorted(arrays)}; the model's inputs are {sorted(shapes)}: "
                "give one array for each, under its name"
            )
        inputs = {name: arrange(f"input '{name}'", arrays[name], shape) for name, shape in shapes.items()}
        require_same_count("samples", inputs)
        return cls(inputs)

    def checked(self, shapes: Mapping[str, Shape]) -> Samples:
        """These samples, arranged for graph inputs of these shapes.

        Raises:
            SamplesError: where they do not fit.
        """
        inputs = Samples.from_arrays(self.inputs, shapes)
        if self.labels is not None and len(self.labels) != len(inputs):
            raise SamplesError(f"there are {len(self.labels)} labels for {len(inputs)} samples")
        if self.targets is not None and self.targets.shape[:1] != (len(inputs),):
            raise SamplesError(f"targets have the shape {self.targets.shape} for {len(inputs)} samples")
        return Samples(inputs.inputs, self.labels, self.targets)

    def select(self, index: int | range) -> Samples:
        """The sample at `index`, or those of a range without gaps.

        Raises:
            SamplesError: for samples that there are not, and for an empty range.
        """
        wanted = range(index, index + 1) if isinstance(index, int) else index
        if not wanted or wanted.step != 1 or not 0 <= wanted.start < wanted.stop <= len(self):
            which = wanted.start if len(wanted) == 1 else f"{wanted.start}:{wanted.stop}"
            raise SamplesError(f"there is no sample {which}: there are {len(self)}, counted from 0")
        return self._at(slice(wanted.start, wanted.stop))

    def first(self, count: int) -> Samples:
        """The first `count` samples, or all if there are fewer."""
        return self._at(slice(count))

    def take(self, indices: IntArray) -> Samples:
        """The samples at these indices, in their order."""
        return self._at(indices)

    def _at(self, indices: slice | IntArray) -> Samples:
        labels = None if self.labels is None else self.labels[indices]
        targets = None if self.targets is None else self.targets[indices]
        return Samples({name: values[indices] for name, values in self.inputs.items()}, labels, targets)

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def __repr__(self) -> str:
        parts = [f"{name} {list(values.shape)}" for name, values in self.inputs.items()]
        parts += [kind for kind in ("labels", "targets") if getattr(self, kind) is not None]
        return f"Samples({', '.join(parts)})"


def only_input(shapes: Mapping[str, Shape], source: object, content: str) -> str:
    """The name of the only input. Raises SamplesError where a model has several."""
    if len(shapes) != 1:
        raise SamplesError(
            f"{source}: {content} is for one input, the model has {sorted(shapes)}; give arrays by name"
            " (an .npz file)"
        )
    return next(iter(shapes))
