"""The program that a shell starts: the commands, without the collector of cyclic garbage in their way.

A command makes many objects that live until it ends. Collections look at all of them again and again, and
once more at exit. That took a fifth of the time of `verify`.
"""

from __future__ import annotations

import atexit
import gc

from deepprove_dist.cli.app import main

_OBJECTS = 100_000
"""How many more objects there are before a collection; 700 by default."""


def run() -> None:
    """Runs the command of the process's arguments, and ends the process."""
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)
    main()
