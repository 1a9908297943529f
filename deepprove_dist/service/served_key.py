"""A key that the service proves with, by its name: what a proof takes, and which submissions it refuses.

All that is checked here needs the verifying key alone: the weights need not be in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.epochs import current_epoch
from deepprove_dist.errors import ChoiceError, InputError
from deepprove_dist.execution.phases.policy import Policy
from deepprove_dist.keys import VERIFYING_KEY, load_budget, require_keys
from deepprove_dist.pricing.proof_price import ProofPrice, price_proof
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.verifier import load_verifying_key


@dataclass(frozen=True)
class ServedKey:
    """Attributes:
    name: what clients call it.
    folder: that `ProvingKey.load` takes.
    content: of its verifying key.
    """

    name: str
    folder: Path
    content: KeyContent = field(repr=False)

    @classmethod
    def open(cls, name: str, folder: Path) -> ServedKey:
        """Reads the verifying key of a folder, and its budget. Raises as `ProvingKey.load` does."""
        content = load_verifying_key(require_keys(folder) / VERIFYING_KEY)
        load_budget(folder, content)
        return cls(name, folder.resolve(), content)

    @cached_property
    def price(self) -> ProofPrice:
        """What a proof takes, at the largest number of samples."""
        return price_proof(self.content, self.content.max_batch)

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of one sample of each input."""
        return {tensor.name: tensor.shape for tensor in self.content.inputs}

    @property
    def hiding(self) -> bool:
        """Whether proofs hide weights and activations, and are counted."""
        return self.content.schedule.initial.hiding

    @property
    def remaining(self) -> int | None:
        """How many proofs are left; None where their number does not matter. Raises BudgetError, OSError."""
        budget = load_budget(self.folder, self.content)
        return None if budget is None else budget.remaining

    @property
    def epoch(self) -> int:
        """The epoch that the folder counts; 0 for transparent keys."""
        return current_epoch(self.folder) if self.hiding else 0

    @property
    def worth_sharing(self) -> bool:
        """Whether workers make a proof faster than one process: small ones are proven by one."""
        return Policy().is_worth(self.content.schedule.initial)

    def require_fits(self, inputs: Mapping[str, FloatArray], *, clamp: bool) -> None:
        """Requires inputs [samples, *shape] that can be proven. Raises InputRangeError, InputError."""
        samples = len(next(iter(inputs.values())))
        if samples > self.content.max_batch:
            raise InputError(f"{samples} samples for keys that allow {self.content.max_batch} in a proof")
        quantise_inputs(self.content, inputs, clamp=clamp)

    def fields(self) -> dict[str, Any]:
        """What clients see of it, beside its budget."""
        price = self.price
        return {
            "name": self.name,
            "digest": self.content.digest.hex(),
            "hiding": self.hiding,
            "max_batch": self.content.max_batch,
            "inputs": {name: list(shape) for name, shape in self.shapes.items()},
            "outputs": {tensor.name: list(tensor.shape) for tensor in self.content.outputs},
            "memory_bytes": price.memory_bytes,
            "proving_ms": price.proving_ms,
            "proof_bytes": price.proof_bytes,
        }


def open_keys(folders: Sequence[str]) -> dict[str, ServedKey]:
    """The keys of folders by name: `NAME=FOLDER`, or a folder, whose last part is the name then.

    Raises ChoiceError for two of one name, and as `ServedKey.open` does.
    """
    served: dict[str, ServedKey] = {}
    for text in folders:
        name, equals, path = text.partition("=")
        folder = Path(path if equals else text)
        name = name if equals else folder.resolve().name
        if not name or "/" in name:
            raise ChoiceError(f"{text!r} gives a key no name; write NAME=FOLDER")
        if name in served:
            raise ChoiceError(f"two keys have the name {name!r}; write NAME=FOLDER for one of them")
        served[name] = ServedKey.open(name, folder)
    return served
