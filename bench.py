"""Measures this prover and its peers: `python bench.py --help`.

Everything is in `benchmarks`. After `make build` the packages that it needs are in `.venv`; any
other Python hands over to that one.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def main() -> None:
    """Runs the benchmark with the Python that has what it needs."""
    if find_spec("click") is None or find_spec("numpy") is None:
        if not VENV_PYTHON.exists():
            sys.exit("bench.py needs the package's dependencies and compiled kernels: run `make build` first")
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])
    from benchmarks.command import command

    command()


if __name__ == "__main__":
    main()
