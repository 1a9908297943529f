"""Pieces of what hides, each switched off."""
from __future__ import annotations
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import PropertyMock, patch
from deepprove_dist.protocol.parameters import InitialCode

@contextmanager
def budget_by_weight_leaves() -> Iterator[None]:
    """A proof is said to show no other rows than those in leaves of the weights' tree."""
    rows = property(lambda code: code.queries << code.weight_log_group)
    with patch.object(InitialCode, "rows_of_proof", rows):
        yield
