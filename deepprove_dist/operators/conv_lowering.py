"""Lowering of convolutions: contractions with axes of taps.

With one input channel a group, the channels of the input are the groups: axes that both factors share. With
several outputs a group, those are one more axis. Without spatial axes, groups are an axis that both factors
share, too. Otherwise each group is a product: of a slice of the input, and of the weights of that group's
outputs alone.

Along an axis with a single output position the window itself is contracted with the positions that it covers.
"""

from __future__ import annotations

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.axes import grouped
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.following import follow
from deepprove_dist.lowering.views import Dimensions, Reader
from deepprove_dist.operators.integer_operator import Analysis
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.window import Window, read_window
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import BATCH, Affine, Factor, Product, Taps, Term


def lower_convolution(node: Node, value: Expression, analysis: Analysis, builder: Builder) -> Expression:
    """The accumulator of a convolution; its bias is a term. Raises ModelError where it reads another one."""
    require_requantised(node, value)
    weight_shape = analysis.shapes[node.inputs[1]]
    groups = node.attributes["groups"]
    assert isinstance(groups, int)
    rank = len(weight_shape) - 2
    if rank == 0 and groups > 1 and weight_shape[1] > 1:
        return _lower_blocks(node, value, groups, analysis, builder)
    spatial = tuple(range(2, 2 + rank))
    if value.shape[0] != 1:
        raise ModelError(f"'{node.name}': the first dimension of an image is the batch")
    window = read_window(node, weight_shape[2:])
    positions = window.output(value.shape[2:])
    sliced = [2 + k for k, size in enumerate(positions) if size == 1]
    channels = (1,) if groups > 1 and weight_shape[1] > 1 else ()
    reader = Reader(node.name, analysis.intervals, builder)
    x = reader.slidable(node.inputs[0], value, (*sliced, *channels), spatial)
    # An axis of the batch, which has one position, goes with the channels.
    x = Dimensions(x.value, ((), x.axes[0] + x.axes[1], *x.axes[2:]))
    return _Convolution(node, x, window, positions, groups, builder).lower(analysis)


def _lower_blocks(
    node: Node, value: Expression, groups: int, analysis: Analysis, builder: Builder
) -> Expression:
    """A dense layer for each group: one product, of which the groups are a shared axis."""
    outputs, width = analysis.shapes[node.inputs[1]]
    blocks = (groups, width)
    x = Reader(node.name, analysis.intervals, builder).aligned(node.inputs[0], value, blocks)
    shared, contracted = grouped(x.axes, blocks) or ((), ())
    heads = (*shared, outputs // groups) if outputs > groups else shared
    space = (BATCH, *heads)
    summed = tuple(range(len(space), len(space) + len(contracted)))
    labels = tuple(range(1, len(space)))
    left = Factor(builder.weight(node.inputs[1], (*heads, *contracted)), labels + summed)
    right = Factor(x.value, (*range(1 + len(shared)), *summed))
    terms: tuple[Term, ...] = ()
    if len(node.inputs) == 3:
        bias = builder.weight(node.inputs[2], heads)
        terms = (Term(1, bias.terms[0].tensor, labels),)
    products = (Product(1, contracted, (), left, right),)
    return Expression((1, outputs), Affine(space, terms, ()), products, analysis.intervals[node.output])


class _Convolution:
    """The axes of one convolution, and its products."""

    def __init__(
        self, node: Node, x: Dimensions, window: Window, positions: Shape, groups: int, builder: Builder
    ) -> None:
        self._node, self._window, self._positions, self._groups = node, window, positions, groups
        self._builder = builder
        self._x = x

    def lower(self, analysis: Analysis) -> Expression:
        outputs, own_channels, *kernel = analysis.shapes[self._node.inputs[1]]
        depthwise = self._groups > 1 and own_channels == 1
        per_group = outputs // self._groups
        x_channels = tuple(self._x.value.space[axis] for axis in self._x.axes[1])
        several = (per_group,) if per_group > 1 else ()
        heads = (*x_channels, *several) if depthwise else (outputs,)
        space = (BATCH, *heads, *self._positions)
        inner = () if depthwise else x_channels
        if self._groups > 1 and not depthwise:
            # One axis, perhaps beside one of the batch.
            inner = (*x_channels[:-1], own_channels)
        weight = self._builder.weight(self._node.inputs[1], (*heads, *inner, *kernel))
        products = [
            self._product(space, heads, inner, weight, group, depthwise=depthwise)
            for group in ([None] if self._groups == 1 or depthwise else range(self._groups))
        ]
        terms: tuple[Term, ...] = ()
        if len(self._node.inputs) == 3:
            bias = self._builder.weight(self._node.inputs[2], heads)
            terms = (Term(1, bias.terms[0].tensor, tuple(range(1, 1 + len(heads)))),)
        weight_bounds = analysis.intervals[self._node.output]
        shape = (1, outputs, *self._positions)
        return Expression(shape, Affine(space, terms, ()), tuple(products), weight_bounds)

    def _product(
        self,
        space: Shape,
        heads: Shape,
        inner: Shape,
        weight: Affine,
        group: int | None,
        *,
        depthwise: bool,
    ) -> Product:
        """Of all groups, or of one."""
        outputs = len(space)
        x, spatial = self._slice(group, inner)
        contracted, windows = [*inner], list[Taps]()
        kernel_labels, position_labels = [], []
        first = outputs + len(inner)
        for k, taps in enumerate(self._window.kernel):
            position_labels.append(first + k)
            if self._positions[k] == 1:
                x = self._cover(x, spatial[k], k)
                contracted.append(taps)
                kernel_labels.append(first + k)
                continue
            contracted.append(x.space[spatial[k]])
            kernel_labels.append(first + self._window.rank + len(windows))
            output = IndexMap(
                (1 + len(heads) + k,),
                0,
                self._positions[k],
                offset=-self._window.before(k),
                stride=self._window.strides[k],
                taps=taps,
                dilation=self._window.dilations[k],
            )
            windows.append(Taps(len(inner) + k, output))
        head_labels = range(1, 1 + len(heads))
        inner_labels = range(outputs, outputs + len(inner))
        left = Factor(
            weight if group is None else self._only(weight, group),
            (*head_labels, *inner_labels, *kernel_labels),
        )
        channels = len(self._x.axes[1])
        channel_labels = tuple(range(1, 1 + channels) if depthwise else inner_labels)
        # An output axis with one position is in no factor; x follows it, having no other use for it.
        right = Factor(x, (0, *channel_labels, *position_labels))
        return self._with_single_positions(
            Product(1, tuple(contracted), tuple(windows), left, right), len(heads)
        )

    def _with_single_positions(self, product: Product, heads: int) -> Product:
        """Adds to the right factor an axis of size 1 for each output axis of one position."""
        value, axes = product.right.value, product.right.axes
        for k, positions in enumerate(self._positions):
            if positions == 1:
                value = replace(value, space=(*value.space, 1))
                axes = (*axes, 1 + heads + k)
        return replace(product, right=Factor(value, axes))

    def _slice(self, group: int | None, inner: Shape) -> tuple[Affine, tuple[int, ...]]:
        """The input's expression, of one group's channels, and its spatial axes."""
        value = self._x.value
        spatial = tuple(axes[0] for axes in self._x.axes[2:])
        if group is not None:
            channel, size = self._x.axes[1][-1], inner[-1]
            channels = follow(value, IndexMap((channel,), 0, size, group * size))
            if channels is None:
                raise ModelError(f"'{self._node.name}': the channels of its input cannot be cut into groups")
            value = channels
        return value, spatial

    def _cover(self, x: Affine, axis: int, k: int) -> Affine:
        """The positions that a window with one output position covers, in place of the axis."""
        taps = self._window.kernel[k]
        covered = follow(x, IndexMap((axis,), 0, taps, -self._window.before(k), self._window.dilations[k]))
        if covered is None:
            raise ModelError(f"'{self._node.name}': a window over an axis that is a window already")
        return covered

    def _only(self, weight: Affine, group: int) -> Affine:
        """The weights of one group's outputs; those of others count as zero."""
        (term,) = weight.terms
        per_group = weight.space[0] // self._groups
        only = IndexMap((0,), group * per_group, (group + 1) * per_group)
        return replace(weight, terms=(replace(term, axes=(only, *term.axes[1:])),))
