"""What a new process needs to import the modules that this one can."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


def import_path() -> Mapping[str, str]:
    """A variable for the environment of a Python process."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
