"""The largest value of a long axis, as a tournament.

A pool takes the positions of its window one after the other, and each step reads all steps before it. So the
terms of a window of n positions grow with n squared. Halving the axis by pools of two positions first leaves
them in proportion to n.
"""

from __future__ import annotations

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.max_pool import FloatMaxPool
from deepprove_dist.operators.window import Window

LEAD = 2
"""Axes of a pool's input before the spatial ones."""
LONG = 32


def add_max_pool(graph: GraphBuilder, tensor: str, window: Window) -> str:
    """The pool; a long axis of which the window has all positions is halved first, until it is short."""
    kernel, sizes = window.kernel, graph.shape(tensor)[LEAD:]
    halved = [
        size > LONG and size == length and not window.before(axis) and not window.after(axis)
        for axis, (size, length) in enumerate(zip(sizes, kernel, strict=True))
    ]
    if not any(halved):
        return graph.add(FloatMaxPool, tensor, window)
    pairs = tuple(2 if half else 1 for half in halved)
    odd = tuple(size % 2 if half else 0 for size, half in zip(sizes, halved, strict=True))
    none = (0,) * window.rank
    winners = graph.add(FloatMaxPool, tensor, Window(pairs, pairs, (*none, *odd), (1,) * window.rank))
    shorter = tuple(
        -(-size // 2) if half else length for size, length, half in zip(sizes, kernel, halved, strict=True)
    )
    return add_max_pool(graph, winners, Window(shorter, window.strides, window.pads, window.dilations))
