"""An ensemble of trees as arrays: what is compared, which paths there are, and what leaves are worth.

Trees are put into blocks of about one size. The leaves of a block depend on the bits of that block alone, so
paths are a small matrix for each block. What is left of a block is padding: bits and leaves that are 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.tree_attributes import Ensemble
from deepprove_dist.importing.rewriting.trees import Bit, DecisionTree, Leaf


@dataclass
class TreeBlock:
    """Bits with their numbers, and leaves with the numbers of their trees."""

    bits: dict[Bit, int] = field(default_factory=dict)
    leaves: list[tuple[int, Leaf]] = field(default_factory=list)

    def add(self, number: int, tree: DecisionTree) -> None:
        """Puts a tree into the block."""
        for bit in tree.bits:
            self.bits.setdefault(bit, len(self.bits))
        self.leaves += [(number, leaf) for leaf in tree.leaves]


@dataclass(frozen=True)
class Forest:
    """Blocks of ``width`` bits and ``height`` leaves."""

    ensemble: Ensemble
    blocks: tuple[TreeBlock, ...]
    width: int
    height: int

    @classmethod
    def of(cls, ensemble: Ensemble) -> Forest:
        """The trees in blocks, in their order. A tree that is one leaf is in none: it is always reached."""
        trees = [(number, tree) for number, tree in enumerate(ensemble.trees) if tree.bits]
        width = max((len(tree.bits) for _, tree in trees), default=0)
        height = max((len(tree.leaves) for _, tree in trees), default=0)
        blocks: list[TreeBlock] = []
        for number, tree in trees:
            if not blocks or not _fits(blocks[-1], tree, width, height):
                blocks.append(TreeBlock())
            blocks[-1].add(number, tree)
        return cls(ensemble, tuple(blocks), width, height)

    @property
    def features(self) -> set[int]:
        """The features that are compared."""
        return {feature for block in self.blocks for feature, _, _ in block.bits}

    def comparisons(self, features: int) -> tuple[FloatArray, FloatArray]:
        """Rows [bits, features] and thresholds [bits]: a bit says whether a row's sum is large enough."""
        rows = np.zeros((len(self.blocks), self.width, features))
        thresholds = np.ones((len(self.blocks), self.width))
        for number, block in enumerate(self.blocks):
            for (feature, sign, threshold), index in block.bits.items():
                rows[number, index, feature] = sign
                thresholds[number, index] = sign * threshold
        return rows.reshape(-1, features), thresholds.ravel()

    def paths(self) -> tuple[FloatArray, FloatArray]:
        """Rows [leaves, width] and thresholds [leaves] of the conditions that lead to leaves.

        A leaf is reached where the sum of its row is large enough. Sums are whole numbers, and thresholds lie
        half-way between two.
        """
        rows = np.zeros((len(self.blocks), self.height, self.width))
        thresholds = np.ones((len(self.blocks), self.height))
        for number, block in enumerate(self.blocks):
            for index, (_, leaf) in enumerate(block.leaves):
                for bit, coefficient in leaf.count.bits.items():
                    rows[number, index, block.bits[bit]] = coefficient
                thresholds[number, index] = leaf.length - leaf.count.constant - 0.5
        return rows.reshape(-1, self.width), thresholds.ravel()

    def values(self) -> tuple[FloatArray, FloatArray]:
        """Of each target and tree the weights [targets, trees, leaves], and what is always reached."""
        shape = self.ensemble.targets, len(self.ensemble.trees)
        weights = np.zeros((*shape, len(self.blocks), self.height))
        always = np.zeros(shape)
        for number, block in enumerate(self.blocks):
            for index, (tree, leaf) in enumerate(block.leaves):
                for target, weight in leaf.values.items():
                    weights[target, tree, number, index] = weight
        for tree, leaf in self._single_leaves():
            for target, weight in leaf.values.items():
                always[target, tree] = weight
        return weights.reshape(*shape, -1), always

    def sums(self) -> tuple[FloatArray, FloatArray]:
        """Of each target the weights [targets, leaves], and what is always reached."""
        targets = self.ensemble.targets
        weights = np.zeros((targets, len(self.blocks), self.height))
        always = np.zeros(targets)
        for number, block in enumerate(self.blocks):
            for index, (_, leaf) in enumerate(block.leaves):
                for target, weight in leaf.values.items():
                    weights[target, number, index] = weight
        for _, leaf in self._single_leaves():
            for target, weight in leaf.values.items():
                always[target] += weight
        return weights.reshape(targets, -1), always

    def _single_leaves(self) -> Iterator[tuple[int, Leaf]]:
        for number, tree in enumerate(self.ensemble.trees):
            if not tree.bits:
                yield from ((number, leaf) for leaf in tree.leaves if leaf.count.constant >= leaf.length)


def _fits(block: TreeBlock, tree: DecisionTree, width: int, height: int) -> bool:
    bits = len(block.bits) + sum(bit not in block.bits for bit in tree.bits)
    return bits <= width and len(block.leaves) + len(tree.leaves) <= height


def covers(forest: Forest, targets: Sequence[int]) -> bool:
    """Whether each leaf has weights for all targets."""
    leaves = (leaf for tree in forest.ensemble.trees for leaf in tree.leaves)
    return all(leaf.values.keys() == set(targets) for leaf in leaves)
