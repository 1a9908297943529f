"""Which inputs and outputs of a model a key hides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from deepprove_dist.choices import require_names
from deepprove_dist.errors import ChoiceError
from deepprove_dist.protocol.parameters import MAX_HIDDEN
from deepprove_dist.protocol.system.system import System


@dataclass(frozen=True)
class HiddenNames:
    """The names of hidden inputs and hidden outputs, whose integers are in no statement.

    Raises ChoiceError for more than MAX_HIDDEN of them, and for one name twice.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.inputs) + len(self.outputs)
        if count > MAX_HIDDEN:
            raise ChoiceError(f"a key hides at most {MAX_HIDDEN} inputs and outputs, not {count}")
        if len({*self.inputs, *self.outputs}) != count:
            raise ChoiceError("an input or output is named once to be hidden")

    def __bool__(self) -> bool:
        return bool(self.inputs or self.outputs)

    @classmethod
    def chosen(cls, hide_inputs: Sequence[str], hide_outputs: Sequence[str]) -> HiddenNames:
        """Those that a caller of `setup` names. Raises KindError for anything but names too."""
        return cls(require_names("hide_inputs", hide_inputs), require_names("hide_outputs", hide_outputs))

    @classmethod
    def of(cls, system: System) -> HiddenNames:
        """Those that a lowered model hides."""
        inputs, outputs = (
            tuple(public.name for public in publics if system.is_hidden(public))
            for publics in (system.inputs, system.outputs)
        )
        return cls(inputs, outputs)

    def require(self, inputs: Collection[str], outputs: Collection[str]) -> None:
        """Raises ChoiceError for a name that the model does not have."""
        for what, names, known in (("input", self.inputs, inputs), ("output", self.outputs, outputs)):
            for name in names:
                if name not in known:
                    raise ChoiceError(f"the model has no {what} '{name}' to hide: it has {list(known)}")


NOTHING_HIDDEN = HiddenNames()
