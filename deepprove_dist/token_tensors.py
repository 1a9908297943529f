"""Which tensors of a model are tokens: its input, an attention mask, and the ArgMax of each position.

A token model has the input `ids` of L tokens below the vocabulary's size V. It may have a mask as well, of L
numbers: 1 where a token counts, 0 at padding. Its output has L tokens: at position t the ArgMax of the scores
there, the most likely token at position t + 1. All three are one sequence: no more than one axis is longer
than 1. With rows of tokens, the first of a row would count as what follows the last of the row before.

Names are not asked for more than needed: ranges and shapes say what a tensor is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import prod

from deepprove_dist.errors import InputError
from deepprove_dist.protocol.system.named_tensor import NamedTensor
from deepprove_dist.protocol.system.scale import Scale

ADVICE = "Set up with output_form='argmax', and with the scores as the only output"

_ONE = Scale.of(1.0)


@dataclass(frozen=True)
class TokenTensors:
    """The tensors of a token model, by name.

    Attributes:
        ids: the input of tokens.
        mask: the input that says which of them count; None where the model has none.
        answers: the output of tokens.
        length: positions of all of them.
        vocabulary: tokens are below it.
    """

    ids: str
    mask: str | None
    answers: str
    length: int
    vocabulary: int

    @classmethod
    def of(
        cls, inputs: Iterable[NamedTensor], outputs: Iterable[NamedTensor], hidden: Collection[str] = ()
    ) -> TokenTensors:
        """Those of a model with these inputs and outputs; `hidden` are names of hidden ones.

        Raises InputError, which says what to do, where the model is no token model.
        """
        inputs, outputs = tuple(inputs), tuple(outputs)
        if concealed := [tensor.name for tensor in (*inputs, *outputs) if tensor.name in hidden]:
            raise InputError(
                f"the key hides {concealed}: tokens of a generation are public; set up without hiding them"
            )
        masks = [tensor for tensor in inputs if _is_mask(tensor)]
        tokens = [tensor for tensor in inputs if tensor not in masks]
        if len(tokens) != 1 or len(masks) > 1 or tokens[0].scale != _ONE or tokens[0].hi < 1:
            names = [tensor.name for tensor in inputs]
            raise InputError(
                f"the key is of no token model: its inputs are {names}. Export the model with token ids as "
                "the input, and with a mask of 0 and 1 or without"
            )
        ids, length = tokens[0], prod(tokens[0].shape)
        if not _is_sequence(ids):
            raise InputError(
                f"the key is of no token model: '{ids.name}' has tokens of shape {ids.shape}, and a "
                "generation is one sequence. Set up with one sequence a sample (shapes)"
            )
        if not all(_is_sequence(mask, length) for mask in masks):
            raise InputError(f"the key is of no token model: '{masks[0].name}' has no number for each token")
        answers = [tensor for tensor in outputs if _are_tokens(tensor, length)]
        if len(answers) != 1:
            names = [tensor.name for tensor in outputs]
            raise InputError(
                f"the key is of no token model: {len(answers)} of its outputs {names} have a token for each "
                f"of the {length} positions. {ADVICE}"
            )
        mask = masks[0].name if masks else None
        return cls(ids.name, mask, answers[0].name, length, ids.hi + 1)


def _is_mask(tensor: NamedTensor) -> bool:
    return tensor.scale == _ONE and (tensor.lo, tensor.hi) == (0, 1)


def _are_tokens(tensor: NamedTensor, length: int) -> bool:
    """Whether an output has one number from 0 on for each position."""
    return tensor.scale == _ONE and tensor.lo == 0 and _is_sequence(tensor, length)


def _is_sequence(tensor: NamedTensor, length: int | None = None) -> bool:
    """Whether all positions stand along one axis, `length` of them where that is given."""
    positions = max(tensor.shape, default=1)
    return positions == prod(tensor.shape) == (positions if length is None else length)
