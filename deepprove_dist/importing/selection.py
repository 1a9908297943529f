"""Which part of a model is proven, and the sizes of its inputs that the file leaves open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import onnx

from deepprove_dist.arrays import Shape
from deepprove_dist.choices import require_kind
from deepprove_dist.errors import ModelError
from deepprove_dist.importing.expanding.output_form import ALL_SCORES, OutputForm
from deepprove_dist.importing.rewriting.onnx_graph import drop_unused_nodes

# Symbols that name no size: Paddle writes "?" for each that is open.
NAMELESS = ("", "?")

# Names of tensors that are listed where one is not found.
LISTED = 3


@dataclass(frozen=True)
class ModelSelection:
    """What a user chose of a model.

    Attributes:
        outputs: the tensors up to which it is proven; none for the outputs that the file states.
        shapes: of inputs by name, where the file leaves sizes open.
        form: what is proven of the outputs' scores.
        hidden: names of outputs that statements hide.
    """

    outputs: tuple[str, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    form: OutputForm = ALL_SCORES
    hidden: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        outputs: Sequence[str],
        shapes: Mapping[str, Sequence[int]] | None,
        output_form: str = ALL_SCORES.name,
        hidden: Collection[str] = (),
    ) -> ModelSelection:
        """The selection that a caller states.

        Raises:
            KindError: for names that are no texts, and sizes that are no integers.
            ChoiceError: for a form that there is not.
        """
        names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
        for name in names:
            require_kind("outputs", name, str, "the name of a tensor")
        sizes = {name: tuple(shape) for name, shape in (shapes or {}).items()}
        for size in (size for shape in sizes.values() for size in shape):
            require_kind("shapes", size, int, "the size of an axis, a whole number")
        return cls(tuple(dict.fromkeys(names)), sizes, OutputForm.of(output_form), frozenset(hidden))

    def fix_shapes(self, graph: onnx.GraphProto) -> None:
        """Gives inputs the sizes that were chosen; a symbol has its size in all inputs.

        Raises ModelError for an input that there is not, and for sizes that contradict the file.
        """
        inputs = {value.name: value for value in graph.input}
        symbols: dict[str, int] = {}
        for name, sizes in self.shapes.items():
            if name not in inputs:
                raise ModelError(f"the model has no input '{name}'; its inputs are {sorted(inputs)}")
            if any(size < 1 for size in sizes):
                raise ModelError(f"input '{name}' has no shape {list(sizes)}: sizes are 1 and more")
            self._fix(inputs[name], sizes, symbols)
        for value in graph.input:
            for axis in value.type.tensor_type.shape.dim:
                if axis.dim_param in symbols:
                    axis.dim_value = symbols[axis.dim_param]

    @staticmethod
    def _fix(value: onnx.ValueInfoProto, sizes: Shape, symbols: dict[str, int]) -> None:
        tensor = value.type.tensor_type
        if not tensor.HasField("shape"):
            tensor.shape.SetInParent()
            for _ in sizes:
                tensor.shape.dim.add()
        axes = tensor.shape.dim
        if len(axes) != len(sizes):
            raise ModelError(
                f"input '{value.name}' has {len(axes)} axes; the shape {list(sizes)} does not fit"
            )
        for index, (axis, size) in enumerate(zip(axes, sizes, strict=True)):
            stated = symbols.get(axis.dim_param, 0) if axis.dim_param else axis.dim_value
            if stated > 0 and stated != size:
                raise ModelError(f"axis {index} of input '{value.name}' has size {stated}, not {size}")
            if axis.dim_param not in NAMELESS:
                symbols[axis.dim_param] = size
            axis.dim_value = size

    def cut(self, model: onnx.ModelProto) -> None:
        """Makes the chosen tensors the outputs, and drops the nodes that they do not need.

        Raises ModelError, with names like it, for a tensor that there is not.
        """
        if not self.outputs:
            return
        graph = model.graph
        computed = [name for node in graph.node for name in node.output if name]
        known = {*computed, *(value.name for value in graph.input), *(t.name for t in graph.initializer)}
        for name in self.outputs:
            if name not in known:
                alike = get_close_matches(name, computed, LISTED, 0.0)
                raise ModelError(f"the model computes no tensor '{name}'; some that it computes: {alike}")
        stated = {value.name: value for value in graph.output}
        del graph.output[:]
        graph.output.extend(stated.get(name, onnx.ValueInfoProto(name=name)) for name in self.outputs)
        drop_unused_nodes(model)
