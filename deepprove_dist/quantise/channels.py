"""The channels of float tensors: the axis whose elements a model treats as quantities of unlike kinds.

That is the last axis after a dense layer, else the first one after the batch axis.
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator, first_after_batch

Number = TypeVar("Number", bound=np.generic)

# Tensors with more channels are taken as one.
MOST_CHANNELS = 4096


class Channels:
    """Splits the values of a graph's tensors into channels."""

    def __init__(self, graph: FloatGraph) -> None:
        self._shapes = graph.shapes
        self._producers: Mapping[str, FloatOperator] = {node.output: node for node in graph.nodes}

    def split(self, tensor: str, values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Values of one sample, of as many elements as the float tensor has, as [channels, positions]."""
        shape = self._shapes[tensor]
        axis = self.axis(tensor)
        if not shape or shape[axis] > MOST_CHANNELS:
            return values.reshape(1, -1)
        moved = values.reshape(shape).swapaxes(0, axis)
        return moved.reshape(shape[axis], -1)

    def axis(self, tensor: str) -> int:
        """The axis of a tensor's channels."""
        rank = len(self._shapes[tensor])
        node = self._producers.get(tensor)
        while node is not None:
            axis = node.channel_axis(rank)
            if axis is not None:
                return axis
            node = self._producers.get(node.inputs[0])
        return first_after_batch(rank)
