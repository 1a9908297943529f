"""How a float tensor is held in integers: its format, and the forms of it that others need."""

from dataclasses import dataclass

from deepprove_dist.operators.pointwise import IDENTITY, Function
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class Format:
    """A real tensor in integers: real = scale * integer, clamped to [lo, hi]."""

    scale: Scale
    lo: int
    hi: int

    @property
    def unit(self) -> float:
        """What one unit stands for, where that is the same for all elements."""
        return self.scale.number

    @property
    def interval(self) -> Interval:
        """The range, ends included."""
        return self.lo, self.hi


@dataclass(frozen=True)
class Form:
    """A function of a tensor, quantised for layers that read it, or in the full width of an output.

    ``bits``: it has that many at least. ``divides``: its range excludes 0.
    ``fixed`` is the format that the model itself states for it; None where quantisation chooses one.
    """

    function: Function = IDENTITY
    public: bool = False
    bits: int = 0
    divides: bool = False
    fixed: Format | None = None

    @property
    def composed(self) -> bool:
        """Whether functions before it go into its own: nothing between them is quantised."""
        return self.public or self.fixed is not None


HIDDEN = Form()
FINE = Form(bits=12)
DIVISOR = Form(bits=12, divides=True)
PUBLIC = Form(public=True)
EXACT = Form(public=True, bits=30)
"""A sum as it is, in the finest unit that the field holds."""


@dataclass(frozen=True)
class Reference:
    """The real values that a form's format is chosen for: a function of a float tensor.

    ``joined`` names a concatenation that the tensor is part of, "" without one. ``separable`` says whether
    those that read it take a scale for each part. ``ordered`` says whether the order of elements is the same.
    """

    tensor: str
    function: Function = IDENTITY
    joined: str = ""
    separable: bool = False
    ordered: bool = True

    @property
    def held(self) -> str:
        """The float tensor that has these values in this order, "" where the float graph has none."""
        return self.tensor if self.function == IDENTITY and self.ordered else ""
