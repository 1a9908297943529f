"""The compiled kernels, checked against this CPU before they are loaded.

A module may be built for a CPU that can do more. Then the first instruction that this CPU lacks would end the
process without a word. So its build script leaves a record in the file. Importing this module reads the
record from the file's bytes, and compares it with the CPU. Only then it loads the kernels. Everything else
takes them from here: `from deepprove_dist.kernels import Transcript`.
"""

from __future__ import annotations

import json
import mmap
import os
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from deepprove_dist import cpu
from deepprove_dist.errors import KernelError

_BEGIN = b"DEEPPROVE_BUILD"
_END = b"END"
#: Longer than any record: the compiler names some 90 features of x86-64.
_LONGEST_RECORD = 8192

_HOW_TO_BUILD = "build it for this machine, in a checkout of the project, with: pip install ."


@dataclass(frozen=True)
class BuildRecord:
    """What the module was compiled for.

    Attributes:
        version: of the crate.
        arch: the architecture, under the compiler's name ("x86_64").
        features: CPU features that the compiler was free to use, under its own names.
    """

    version: str
    arch: str
    features: frozenset[str]


def module_file(package: Path) -> Path:
    """The file that importing `_kernels` from the folder `package` would load; KernelError without one."""
    for suffix in EXTENSION_SUFFIXES:
        file = package / f"_kernels{suffix}"
        if file.is_file():
            return file
    raise KernelError(f"the compiled kernels are missing from {package}; {_HOW_TO_BUILD}")


def build_record(module: Path) -> BuildRecord:
    """The record in the file `module`, found without loading it; KernelError where there is none."""
    try:
        with module.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            begin = content.find(_BEGIN + b"{")
            end = content.find(_END, begin, begin + _LONGEST_RECORD) if begin >= 0 else -1
            text = content[begin + len(_BEGIN) : end] if end >= 0 else b""
        fields = json.loads(text)
        return BuildRecord(fields["version"], fields["arch"], frozenset(fields["features"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KernelError(f"{module} does not say what CPU it was built for; {_HOW_TO_BUILD}") from error


def check(module: Path) -> None:
    """Raises KernelError where this CPU lacks what the file `module` was built for."""
    record = build_record(module)
    if record.arch != cpu.architecture():
        raise KernelError(
            f"{module} was built for {record.arch}, this machine is {cpu.architecture()}; {_HOW_TO_BUILD}"
        )
    if missing := cpu.missing_features(record.features):
        raise KernelError(
            f"{module} (version {record.version}) was built for a CPU with {', '.join(missing)}, "
            f"which this one lacks; {_HOW_TO_BUILD}"
        )


check(module_file(Path(__file__).parent))

# Milliseconds until the kernels' allocator gives free memory back. By default it does so within 10, and the
# next proof, or a later step of a long one, faults the same pages in again: a quarter to a third of its time.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "60000")
# Blocks beyond 2 GB, which a proof of some ten million activations has, would go back at once.
os.environ.setdefault("MIMALLOC_ARENA_MAX_OBJECT_SIZE", "16GiB")

from deepprove_dist._kernels import *  # noqa: E402, F403 - only a module that has passed the check is loaded
