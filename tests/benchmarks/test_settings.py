"""What the command line's texts mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.settings import (
    CnnConfig,
    DenseConfig,
    FileConfig,
    parse_configs,
    parse_parameters,
    parse_workers,
)
from deepprove_dist.errors import InputError


def test_configurations_are_pairs_joined_by_colons() -> None:
    assert parse_configs("5,100:7,50") == (DenseConfig(5, 100), DenseConfig(7, 50))
    assert parse_configs("1,10:1,10") == (DenseConfig(1, 10),)
    for wrong in ("", "5", "5,0", "5,100:", "a,b", "5;100", "5,-1"):
        with pytest.raises(InputError, match="dense,width"):
            parse_configs(wrong)


def test_parameters_are_a_name_or_a_number() -> None:
    assert [parse_parameters(text) for text in ("62k", "264k", "100000", "100k")] == [
        62_006,
        264_031,
        100_000,
        100_000,
    ]
    for wrong in ("", "k", "0", "-5", "many"):
        with pytest.raises(InputError, match="number of parameters"):
            parse_parameters(wrong)


def test_workers_are_in_increasing_order() -> None:
    assert parse_workers("4,1,2,2") == (1, 2, 4)
    for wrong in ("", "0,1", "1,,2", "x"):
        with pytest.raises(InputError, match="workers"):
            parse_workers(wrong)


def test_names_are_those_of_files() -> None:
    assert DenseConfig(4, 128).name == "d4_w128"
    assert CnnConfig(62_006).name == "cnn"
    names = [FileConfig(Path(f"models/{file}.onnx"), Path("x.json")).name for file in ("mine", "small/model")]
    assert names == ["mine", "small"]
