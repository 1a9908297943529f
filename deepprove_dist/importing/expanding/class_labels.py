"""Labels of classifiers: the class with the largest score. It is an integer; names of classes are none."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError

NAMES = "its label is a text; a statement holds integers"
SCORES = "prove the scores: pass outputs=['{}'], and take the class with the largest one"


def class_labels(attributes: Mapping[str, Any]) -> Sequence[int | bytes]:
    """The classes of a classifier, integers or names. Raises UnsupportedNodeError where there are none."""
    for name in ("classlabels_ints", "classlabels_int64s", "classlabels_strings"):
        if attributes.get(name):
            return tuple(attributes[name])
    raise UnsupportedNodeError("it has no class labels")


def write_label(writer: NodeWriter, scores: str, labels: Sequence[int | bytes]) -> None:
    """Makes the first output the label of the largest score [1, classes], if anything reads it.

    Raises UnsupportedNodeError where labels are names.
    """
    if not writer.uses(0):
        return
    if any(isinstance(label, bytes) for label in labels):
        raise UnsupportedNodeError(NAMES, "integer labels", SCORES.format(writer.node.output[1]))
    index = writer.add("ArgMax", scores, axis=1, keepdims=0)
    if list(labels) != list(range(len(labels))):
        index = writer.add("Gather", writer.integers(labels), index)
    writer.result(index, 0)
