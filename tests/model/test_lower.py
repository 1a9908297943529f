"""What lowering says of a model whose sums the field does not hold."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import FormatError, ModelError
from deepprove_dist.model import lower as lowering
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.system.system import System
from tests.model.small_model import small_model


def test_sums_beyond_the_field_name_their_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(system: System) -> None:
        raise FormatError("relation 'scores' could wrap modulo p")

    monkeypatch.setattr(lowering, "check", fails)
    with pytest.raises(ModelError, match="'scores' adds up integers beyond what a proof holds"):
        lower(small_model())


def test_other_faults_are_not_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(system: System) -> None:
        raise FormatError("relation 'scores' names no tensor")

    monkeypatch.setattr(lowering, "check", fails)
    with pytest.raises(FormatError, match="names no tensor"):
        lower(small_model())
