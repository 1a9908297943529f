"""--memory: sizes as people write them, and refusals with both figures before anything is made."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import deepprove_dist as dp
from deepprove_dist.cli import main
from deepprove_dist.cli.options import ByteSize
from deepprove_dist.errors import MemoryLimitError
from deepprove_dist.memory import SHARE, machine_bytes, memory_limit

ASSETS = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"
MODEL, SAMPLES = ASSETS / "model.onnx", ASSETS / "calibration.npz"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("text", "count"),
    [("20GB", 20 * 10**9), ("1.5 GiB", 3 << 29), ("512MB", 512 * 10**6), ("64kB", 64_000), ("7B", 7)],
)
def test_sizes(text: str, count: int) -> None:
    assert ByteSize().convert(text, None, None) == count


@pytest.mark.parametrize("text", ["20", "GB", "-1GB", "20 gigabytes", "1e9B", "20G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="20GB is one"):
        ByteSize().convert(text, None, None)


def test_the_default_is_a_share_of_the_machine() -> None:
    assert memory_limit() == int(SHARE * machine_bytes())
    assert memory_limit(5) == 5


def test_what_does_not_fit_is_refused_before_it_begins(tmp_path: Path) -> None:
    keys, flags = tmp_path / "keys", ("--calibration", SAMPLES, "--transparent", "-o", tmp_path / "keys")
    for command in (("setup", MODEL, *flags), ("estimate", MODEL)):
        refused = run(*command, "--memory", "10MB")
        assert refused.exit_code == 1
        assert "a proof needs 0.14 GB of memory, and may take 0.01 GB" in refused.stderr
    assert not keys.exists()
    assert run("setup", MODEL, *flags, "--memory", "1GB").exit_code == 0
    prove = ("prove", keys, "--input", SAMPLES, "-o", tmp_path / "proof")
    assert "and may take 0.01 GB" in run(*prove, "--memory", "10MB").stderr
    assert not (tmp_path / "proof").exists()
    assert run(*prove, "--memory", "1GB").exit_code == 0


def test_keys_that_were_loaded_refuse_a_proof_that_takes_more(tmp_path: Path) -> None:
    """As one of many samples does."""
    keys = dp.setup(MODEL, SAMPLES, transparent=True)
    keys.save(tmp_path)
    with pytest.raises(MemoryLimitError):
        dp.ProvingKey.load(tmp_path, memory=10**7)
    lean = dp.ProvingKey(keys.prover, memory=10**7)
    with pytest.raises(MemoryLimitError) as caught:
        lean.prove(keys.read_inputs(SAMPLES))
    assert caught.value.limit == 10**7
    assert caught.value.needed > 10**7
