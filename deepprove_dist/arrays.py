"""Names for numpy arrays and their shapes, used in the whole package."""

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
