"""A forked process begins without numbers, and blocks that nobody has go away."""

from __future__ import annotations

import gc
import os
import weakref

from deepprove_dist.randomness.block import Block


def test_a_forked_process_has_no_numbers_and_a_free_lock() -> None:
    block = Block()
    block.numbers = [1, 2]
    with block.lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if not block.numbers and block.lock.acquire(blocking=False) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert block.numbers == [1, 2]


def test_forking_keeps_no_block_alive() -> None:
    block = Block()
    reference = weakref.ref(block)
    del block
    gc.collect()
    assert reference() is None
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
