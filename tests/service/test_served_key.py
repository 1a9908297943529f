from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.errors import ChoiceError, InputError, InputRangeError
from deepprove_dist.service.served_key import ServedKey, open_keys
from tests.hiding_keys import X, transparent_keys
from tests.service.conftest import SAMPLES


def test_keys_are_called_by_their_folders_or_as_the_operator_says(folders: dict[str, Path]) -> None:
    assert [*open_keys([str(folders["plain"]), f"other={folders['hiding']}"])] == ["plain", "other"]
    for twice in ([str(folders["plain"])] * 2, [f"={folders['plain']}"], [f"a/b={folders['plain']}"]):
        with pytest.raises(ChoiceError, match="write NAME=FOLDER"):
            open_keys(twice)


def test_a_folder_without_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of keys"):
        open_keys([str(tmp_path)])


def test_estimates_are_those_of_the_keys_schedule(folders: dict[str, Path]) -> None:
    served = ServedKey.open("plain", folders["plain"])
    proof = transparent_keys().prove(X)
    assert served.price.proof_bytes == pytest.approx(len(proof), rel=0.05)
    assert served.price.memory_bytes > 0
    assert served.price.proving_ms > 0
    assert not served.worth_sharing


def test_samples_that_do_not_fit_are_refused_without_the_weights(folders: dict[str, Path]) -> None:
    (folders["plain"] / "model.integer").write_bytes(b"")
    served = ServedKey.open("plain", folders["plain"])
    served.require_fits(SAMPLES, clamp=False)
    with pytest.raises(InputRangeError, match="outside the calibrated range"):
        served.require_fits({"x": 1e6 * SAMPLES["x"]}, clamp=False)
    served.require_fits({"x": 1e6 * SAMPLES["x"]}, clamp=True)
    with pytest.raises(InputError, match="2 samples for keys that allow 1"):
        served.require_fits({"x": np.concatenate([SAMPLES["x"]] * 2)}, clamp=False)


def test_the_budget_is_the_folders(folders: dict[str, Path]) -> None:
    served = ServedKey.open("hiding", folders["hiding"])
    before = served.remaining
    dp.ProvingKey.load(folders["hiding"], threads=1).prove(X)
    assert before is not None
    assert served.remaining == before - 1
    assert ServedKey.open("plain", folders["plain"]).remaining is None
