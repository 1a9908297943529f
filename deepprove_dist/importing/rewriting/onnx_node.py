"""A node of the ONNX graph, as rules read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OnnxNode:
    """An omitted optional input is "" or missing at the end."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def output(self) -> str:
        """Name of the first output."""
        return self.outputs[0]

    def input(self, index: int) -> str:
        """Name of the input, "" if it is omitted."""
        return self.inputs[index] if index < len(self.inputs) else ""
