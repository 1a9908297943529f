"""Decision trees: what their nodes compare, and the paths to their leaves.

A *bit* says whether a feature is at least a threshold, or at most it. Whether a node's condition holds is an
affine function of bits that is 0 or 1:

    x >= t, x <= t       a bit
    x < t,  x > t        1 - a bit
    x = t                [x >= t] + [x <= t] - 1
    x in a set           the sum of these over the set

So each path has an affine function of bits that counts how many of its conditions hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

Bit = tuple[int, int, float]
"""A feature, 1 for "at least" or -1 for "at most", and the threshold."""

BRANCHES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
"""The conditions of nodes with one threshold, in the standard's order."""

MEMBER, LEAF = "BRANCH_MEMBER", "LEAF"


@dataclass(frozen=True)
class Count:
    """``constant`` plus a sum of bits with coefficients."""

    constant: int
    bits: Mapping[Bit, int]

    def __add__(self, other: Count) -> Count:
        bits = dict(self.bits)
        for bit, coefficient in other.bits.items():
            bits[bit] = bits.get(bit, 0) + coefficient
        return Count(self.constant + other.constant, {bit: c for bit, c in bits.items() if c})

    def negated(self) -> Count:
        """1 - this: whether a condition does not hold."""
        return Count(1 - self.constant, {bit: -coefficient for bit, coefficient in self.bits.items()})


NOTHING = Count(0, {})
MOST_LEAVES = 2**16
"""Of one tree: branches that meet again double them each time."""


@dataclass(frozen=True)
class Leaf:
    """It is reached where ``count`` is ``length``; it adds weights to targets."""

    count: Count
    length: int
    values: Mapping[int, float]


@dataclass(frozen=True)
class DecisionTree:
    """The leaves of one tree."""

    leaves: tuple[Leaf, ...]

    @property
    def bits(self) -> tuple[Bit, ...]:
        """All bits that its paths depend on."""
        return tuple(dict.fromkeys(bit for leaf in self.leaves for bit in leaf.count.bits))


@dataclass(frozen=True)
class TreeNode:
    """A node as files have it: a leaf with values, or a condition with the nodes for true and false."""

    mode: str
    feature: int = 0
    thresholds: tuple[float, ...] = ()
    children: tuple[int, int] = (0, 0)
    values: Mapping[int, float] = field(default_factory=dict)


class MalformedTreeError(ValueError):
    """A tree that is no tree, in words that follow "its trees are malformed: "."""


def grow(nodes: Mapping[int, TreeNode], root: int) -> DecisionTree:
    """The tree of the nodes below a root.

    Branches may meet again, as those of a category's values do in LightGBM: what follows is there for each.
    Raises MalformedTreeError where nodes are missing or follow themselves, and for too many leaves.
    """
    return DecisionTree(tuple(_leaves(nodes, root)))


def _leaves(nodes: Mapping[int, TreeNode], root: int) -> Iterator[Leaf]:
    todo, leaves = [(root, NOTHING, 0, frozenset[int]())], 0
    while todo:
        number, count, length, above = todo.pop()
        if number not in nodes or number in above:
            raise MalformedTreeError(f"node {number} is missing, or follows itself")
        node = nodes[number]
        if node.mode == LEAF:
            leaves += 1
            if leaves > MOST_LEAVES:
                raise MalformedTreeError(f"branches that meet make more than {MOST_LEAVES} leaves of a tree")
            yield Leaf(count, length, node.values)
            continue
        holds = condition(node.mode, node.feature, node.thresholds)
        above |= {number}
        todo.append((node.children[1], count + holds.negated(), length + 1, above))
        todo.append((node.children[0], count + holds, length + 1, above))


def condition(mode: str, feature: int, thresholds: Sequence[float]) -> Count:
    """1 where a node's condition holds, else 0. Raises MalformedTreeError for an unknown mode."""
    if mode == MEMBER:
        total = NOTHING
        for threshold in dict.fromkeys(thresholds):
            total += _equal(feature, threshold)
        return total
    if mode not in _CONDITIONS:
        raise MalformedTreeError(f"the mode of a node is '{mode}'")
    return _CONDITIONS[mode](feature, thresholds[0])


def _at_least(feature: int, threshold: float) -> Count:
    return Count(0, {(feature, 1, threshold): 1})


def _at_most(feature: int, threshold: float) -> Count:
    return Count(0, {(feature, -1, threshold): 1})


def _equal(feature: int, threshold: float) -> Count:
    return _at_least(feature, threshold) + _at_most(feature, threshold) + Count(-1, {})


def _not(holds: Callable[[int, float], Count]) -> Callable[[int, float], Count]:
    return lambda feature, threshold: holds(feature, threshold).negated()


_CONDITIONS: Mapping[str, Callable[[int, float], Count]] = MappingProxyType(
    dict(
        zip(
            BRANCHES,
            (_at_most, _not(_at_least), _at_least, _not(_at_most), _equal, _not(_equal)),
            strict=True,
        )
    )
)
