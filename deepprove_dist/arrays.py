"""Names for numpy arrays and their shapes, used in the whole package.

At run time they are texts: who only names an array need not load numpy.
"""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    import numpy.typing as npt

Shape = tuple[int, ...]
IntArray: TypeAlias = "npt.NDArray[np.int64]"
Reals: TypeAlias = "npt.NDArray[np.floating[Any]]"
"""Of any precision."""
FloatArray: TypeAlias = "npt.NDArray[np.float64]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"
