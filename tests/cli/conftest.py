"""Commands of the tests leave nothing in the user's cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from deepprove_dist.certificate_cache import CertificateCache


@pytest.fixture(autouse=True)
def cache(tmp_path: Path) -> Iterator[CertificateCache]:
    """The cache of certificates that the commands of one test use."""
    cache = CertificateCache(tmp_path / "cache")
    with patch.object(CertificateCache, "of_user", return_value=cache):
        yield cache
