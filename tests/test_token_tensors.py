"""Which keys are of token models, and what the others are told."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import InputError
from deepprove_dist.model.integer_model import ModelTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.token_tensors import TokenTensors


def tensor(name: str, lo: int, hi: int, shape: tuple[int, ...] = (1, 8), scale: float = 1.0) -> ModelTensor:
    return ModelTensor(name, shape, lo, hi, Scale.of(scale))


IDS, MASK, ANSWERS = tensor("ids", -50, 49), tensor("mask", 0, 1), tensor("tokens", 0, 63)


def test_tokens_a_mask_and_answers() -> None:
    assert TokenTensors.of([IDS], [ANSWERS]) == TokenTensors("ids", None, "tokens", 8, 50)
    scores = tensor("scores", -999, 999, (1, 8, 50), 0.01)
    tensors = TokenTensors.of([MASK, IDS], [scores, ANSWERS])
    assert tensors == TokenTensors("ids", "mask", "tokens", 8, 50)
    flat = tensor("tokens", 0, 63, (1, 8, 1))
    assert TokenTensors.of([IDS], [flat]).answers == "tokens"


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        [MASK],
        [IDS, tensor("positions", 0, 7)],
        [IDS, MASK, tensor("types", 0, 1)],
        [tensor("x", -50, 49, scale=0.5)],
        [IDS, tensor("mask", 0, 1, scale=0.5)],
    ],
    ids=lambda inputs: "+".join(tensor.name for tensor in inputs) or "none",
)
def test_other_inputs_are_refused(inputs: list[ModelTensor]) -> None:
    with pytest.raises(
        InputError, match=r"of no token model: its inputs are .* Export the model with token ids"
    ):
        TokenTensors.of(inputs, [ANSWERS])


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="'mask' has no number for each token"):
        TokenTensors.of([IDS, tensor("mask", 0, 1, (1, 9))], [ANSWERS])


@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (2, 2, 2)], ids=str)
def test_rows_of_tokens_are_no_sequence(shape: tuple[int, ...]) -> None:
    """What follows the last token of a row is not the first of the next one."""
    rows, mask = tensor("ids", -50, 49, shape), tensor("mask", 0, 1, shape)
    answers = tensor("tokens", 0, 63, shape)
    with pytest.raises(InputError, match=r"a generation is one sequence\. Set up with one sequence a sample"):
        TokenTensors.of([rows], [answers])
    with pytest.raises(InputError, match="'mask' has no number for each token"):
        TokenTensors.of([IDS, mask], [ANSWERS])
    with pytest.raises(InputError, match="0 of its outputs"):
        TokenTensors.of([IDS], [answers])


@pytest.mark.parametrize(
    "outputs",
    [
        [tensor("tokens", -1, 63)],
        [tensor("tokens", 0, 63, scale=0.5)],
        [tensor("tokens", 0, 63, (1, 1))],
        [ANSWERS, tensor("others", 0, 63)],
    ],
    ids=["negative", "scaled", "one position", "two"],
)
def test_other_outputs_are_refused(outputs: list[ModelTensor]) -> None:
    with pytest.raises(InputError, match=r"a token for each of the 8 positions\. Set up with output_form"):
        TokenTensors.of([IDS], outputs)
