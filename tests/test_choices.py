"""Every choice is checked where it enters: a misspelt one is refused with all that is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import pytest

import deepprove_dist as dp
from deepprove_dist import choices
from deepprove_dist.cli.options import calibration_method_option, model_options
from deepprove_dist.cli.workers import worker_options
from deepprove_dist.errors import ChoiceError, InputError
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions
from deepprove_dist.execution.cluster.scaling_config import MAX_WORKERS, ScalingConfig
from deepprove_dist.keys import load_prover, make_pool
from deepprove_dist.protocol.parameters import SECURITY_LEVELS, ProofObjective, Weights
from deepprove_dist.quantise.activation_bits import BITS_CHOICES
from deepprove_dist.quantise.ranges import METHODS
from deepprove_dist.setup_options import Options

FOLDER = Path(__file__).parents[1] / "assets" / "models" / "iris_mlp_d1_w10"
MODEL = FOLDER / "model.onnx"

WRONG_OPTIONS: list[tuple[str, Any, str]] = [
    ("weights", "Committed", "'committed', 'public'"),
    ("weights", "comitted", "'committed', 'public'"),
    ("weights", "", "'committed', 'public'"),
    ("weights", None, "'committed', 'public'"),
    ("weights", True, "'committed', 'public'"),
    ("objective", "quick", "'default', 'small', 'fast'"),
    ("objective", "Small", "'default', 'small', 'fast'"),
    ("objective", ["small"], "'default', 'small', 'fast'"),
    ("max_batch", 0, "from 1 to 1048576"),
    ("max_batch", -1, "from 1 to 1048576"),
    ("max_batch", (1 << 20) + 1, "from 1 to 1048576"),
    ("max_batch", True, "from 1 to 1048576"),
    ("max_batch", 2.0, "from 1 to 1048576"),
    ("max_batch", "4", "from 1 to 1048576"),
    ("security", 80, "100, 128"),
    ("security", 127, "100, 128"),
    ("security", 128.0, "100, 128"),
    ("security", "128", "100, 128"),
]
WRONG_QUANTISATION: list[tuple[str, Any, str]] = [
    ("activation_bits", 7, "8, 9, 10, 11, 12"),
    ("activation_bits", 13, "8, 9, 10, 11, 12"),
    ("activation_bits", 8.0, "8, 9, 10, 11, 12"),
]
WRONG_SETUP: list[tuple[str, Any, str]] = [
    ("calibration_method", "Max", "'auto', 'max', 'margin', 'percentile', 'mse'"),
    ("calibration_method", None, "'auto', 'max', 'margin', 'percentile', 'mse'"),
    ("threads", 0, "from 1 to 1024"),
    ("threads", -2, "from 1 to 1024"),
    ("threads", 1.5, "from 1 to 1024"),
]


def refuses(allowed: str, name: str) -> Any:
    return pytest.raises(ChoiceError, match=rf"(?s){name}.*{allowed}")


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG_OPTIONS)
def test_options_of_keys(name: str, value: Any, allowed: str) -> None:
    with refuses(allowed, name):
        Options(**{name: value})


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG_OPTIONS + WRONG_QUANTISATION + WRONG_SETUP)
def test_setup_checks_all_choices_before_it_reads_a_file(name: str, value: Any, allowed: str) -> None:
    with refuses(allowed, name):
        dp.setup("no model", "no samples", **{name: value})


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG_OPTIONS + WRONG_QUANTISATION)
def test_estimate_checks_all_choices_before_it_reads_a_file(name: str, value: Any, allowed: str) -> None:
    with refuses(allowed, name):
        dp.estimate("no model", **{name: value})


@pytest.mark.parametrize("threads", [0, -1, 1025, True, "2"])
def test_threads(threads: Any) -> None:
    with refuses("from 1 to 1024", "threads"):
        make_pool(threads)
    with refuses("from 1 to 1024", "threads"):
        load_prover("no folder", threads=threads)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", 0),
        ("workers", MAX_WORKERS + 1),
        ("workers", "4"),
        ("cpus_per_worker", 0),
        ("cpus_per_worker", 0.5),
        ("gpus_per_worker", -1),
        ("gpus_per_worker", float("nan")),
        ("gpus_per_worker", "1"),
        ("accelerator_type", ""),
        ("accelerator_type", 5),
        ("labels", {"zone": 1}),
        ("labels", {"": "a"}),
        ("strategy", "spread"),
        ("placement_timeout", 0),
        ("placement_timeout", float("nan")),
        ("placement_timeout", float("inf")),
        ("replacement_timeout", -1.0),
    ],
)
def test_what_is_asked_of_a_cluster(name: str, value: Any) -> None:
    with pytest.raises(ChoiceError, match=name.rstrip("s")):
        ScalingConfig(**{"workers": 2, name: value})


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "60", True])
def test_the_timeout_of_calls(timeout: Any) -> None:
    with refuses("above 0", "call_timeout"):
        ClusterOptions(ScalingConfig(1), call_timeout=timeout)


def test_an_error_is_a_value_error_and_an_input_error() -> None:
    for kind in (ValueError, InputError, dp.DeepProveError, dp.ChoiceError):
        with pytest.raises(kind):
            Options(weights="Public")  # type: ignore[arg-type]


def test_what_is_allowed_passes() -> None:
    for weights in get_args(Weights):
        for objective in get_args(ProofObjective):
            for security in SECURITY_LEVELS:
                Options(weights, objective, 16, security)
    ScalingConfig(16, 8, 0.5, "H100", {"zone": "a"}, "PACK")
    choices.require_number("share", 0, positive=False)


def test_the_command_line_offers_what_there_is() -> None:
    @click.command()
    @model_options
    @calibration_method_option
    @worker_options
    def command() -> None: ...

    kinds = {option.name: option.type for option in command.params}
    offered = {name: list(kind.choices) for name, kind in kinds.items() if isinstance(kind, click.Choice)}
    assert offered == {
        "weights": list(get_args(Weights)),
        "objective": list(get_args(ProofObjective)),
        "security": list(SECURITY_LEVELS),
        "calibration_method": list(METHODS),
        "activation_bits": [str(bits) for bits in BITS_CHOICES],
    }
    workers = kinds["workers"]
    assert isinstance(workers, click.IntRange)
    assert workers.max == MAX_WORKERS
