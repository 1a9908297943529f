"""The columns of CSV files, and reading another program's."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.rows import EZKL, PYTORCH, ZKML, Row, header, read_foreign, writing
from deepprove_dist.errors import FormatError

COMMON = [
    *("config", "run", "sample", "setup (ms)", "inference (ms)", "proving (ms)", "verifying (ms)"),
    *("accuracy (bool)", "proof size (KB)"),
]


def test_every_file_begins_with_the_common_columns() -> None:
    for columns in (ZKML, EZKL, PYTORCH):
        assert header(columns)[: len(COMMON)] == COMMON
        assert header(columns)[-1] == "error"
    assert header(EZKL)[len(COMMON)] == "ezkl_full_proving (ms)"
    further = {"peak memory (MB)", "workers", "security (bits)", "threads"}
    assert further <= set(header(ZKML)) & set(header(EZKL))


def test_a_row_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "zkml_d1_w10.csv"
    with writing(path, ZKML) as write:
        write(Row("d1_w10", 0, 3, setup_ms=1.5, proving_ms=2.0, correct=True, threads=2))
        write(Row("d1_w10", 0, 4, correct=False, verified=False, error="it went wrong"))
        with path.open(newline="") as file:
            good, bad = csv.DictReader(file)
    assert (good["setup (ms)"], good["accuracy (bool)"], good["inference (ms)"]) == ("1.500", "1", "")
    assert (good["threads"], good["error"]) == ("2", "")
    assert (bad["accuracy (bool)"], bad["verified (bool)"], bad["error"]) == ("0", "0", "it went wrong")


def test_what_was_written_is_read_as_another_programs(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    row = Row("d1_w10", 2, 3, 1.5, 0.5, 2.0, 0.25, True, 12.0)
    with writing(path, ZKML) as write:
        write(row)
    assert read_foreign(path, "other") == [row]


def test_a_file_without_names_of_models_or_samples(tmp_path: Path) -> None:
    path = tmp_path / "zkml_d4_w128.csv"
    path.write_text("proving (ms),accuracy (bool),verifying (ms)\n77,1,10\n78,0,11\n")
    assert read_foreign(path, "d4_w128") == [
        Row("d4_w128", 0, 0, proving_ms=77.0, correct=True, verifying_ms=10.0),
        Row("d4_w128", 0, 1, proving_ms=78.0, correct=False, verifying_ms=11.0),
    ]
    for wrong in ("a,b\n1,2\n", "proving (ms)\nfast\n"):
        path.write_text(wrong)
        with pytest.raises(FormatError, match=r"zkml_d4_w128\.csv"):
            read_foreign(path, "d4_w128")
