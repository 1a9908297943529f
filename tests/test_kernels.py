"""The check of the compiled module against the CPU, with files that only look like a module."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from deepprove_dist import cpu, kernels
from deepprove_dist.errors import KernelError


def write_module(folder: Path, *, arch: str, features: list[str]) -> Path:
    record = {"version": "0.1.0", "arch": arch, "features": features}
    content = (
        b"\x7fELF" + bytes(5000) + b"DEEPPROVE_BUILD" + json.dumps(record).encode() + b"END" + bytes(100)
    )
    file = folder / f"_kernels{EXTENSION_SUFFIXES[-1]}"
    file.write_bytes(content)
    return file


def test_the_built_module_suits_this_machine() -> None:
    file = kernels.module_file(Path(kernels.__file__).parent)
    record = kernels.build_record(file)
    assert record.arch == cpu.architecture()
    assert record.features
    kernels.check(file)


def test_the_record_is_read_as_written(tmp_path: Path) -> None:
    file = write_module(tmp_path, arch="x86_64", features=["avx2", "fma"])
    assert kernels.module_file(tmp_path) == file
    assert kernels.build_record(file) == kernels.BuildRecord("0.1.0", "x86_64", frozenset({"avx2", "fma"}))


def test_a_missing_feature_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "missing_features", sorted)
    file = write_module(tmp_path, arch=cpu.architecture(), features=["avx512f", "avx512bw"])
    with pytest.raises(KernelError, match=r"avx512bw, avx512f, which this one lacks; .*pip install \."):
        kernels.check(file)


def test_another_architecture_is_named(tmp_path: Path) -> None:
    file = write_module(tmp_path, arch="riscv64", features=[])
    with pytest.raises(KernelError, match="built for riscv64"):
        kernels.check(file)


@pytest.mark.parametrize("content", [b"", b"not a module", b"DEEPPROVE_BUILD{END", b"DEEPPROVE_BUILD{}END"])
def test_a_file_without_a_record_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "_kernels.so"
    file.write_bytes(content)
    with pytest.raises(KernelError, match="does not say what CPU"):
        kernels.build_record(file)


def test_a_module_that_was_never_built(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=r"missing from .*pip install \."):
        kernels.module_file(tmp_path)


def test_importing_a_module_for_another_cpu_gives_the_message_and_no_crash(tmp_path: Path) -> None:
    package = tmp_path / "deepprove_dist"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("checks.py", "errors.py", "cpu.py", "kernels.py"):
        (package / name).write_bytes((Path(kernels.__file__).parent / name).read_bytes())
    write_module(package, arch="riscv64", features=[])
    script = tmp_path / "use.py"
    script.write_text("import deepprove_dist.kernels\n")
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "KernelError" in run.stderr
    assert "built for riscv64" in run.stderr


def test_linux_flags_are_compared_by_the_first_cpu(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse4_1 avx2\n\nprocessor\t: 1\nflags\t\t: avx512f\n")
    assert cpu.absent_on_linux(frozenset({"avx2", "avx512f"}), cpuinfo) == {"avx512f"}


@pytest.mark.parametrize("content", [None, "processor\t: 0\n"])
def test_unknown_flags_let_the_module_load(tmp_path: Path, content: str | None) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if content is not None:
        cpuinfo.write_text(content)
    assert cpu.absent_on_linux(frozenset({"avx2"}), cpuinfo) == frozenset()


def test_a_mac_tells_by_zeros() -> None:
    listing = "hw.optional.avx2_0: 1\nhw.optional.avx512f: 0\nhw.optional.arm.FEAT_SHA3: 0\n"
    assert cpu.absent_on_mac(listing) == {"avx512f", "arm.feat_sha3"}


def test_features_of_no_consequence_are_not_asked_for() -> None:
    assert cpu.missing_features(frozenset({"rdseed", "fxsr", "nosuch"})) == []


def test_the_check_is_fast() -> None:
    file = kernels.module_file(Path(kernels.__file__).parent)
    best = min(_seconds(file) for _ in range(5))
    assert best < 0.005


def _seconds(file: Path) -> float:
    begin = time.perf_counter()
    kernels.check(file)
    return time.perf_counter() - begin


def test_a_rejection_names_its_check_and_says_where() -> None:
    with pytest.raises(kernels.Rejected, match="field element is not below the modulus") as refused:
        kernels.BaseVector.from_bytes(bytes(8) + b"\xff" * 4)
    rejection = refused.value
    assert (rejection.check, rejection.index) == ("canonical field element", 2)
    assert rejection.check in kernels.checks()
    with pytest.raises(kernels.Rejected, match=r"^opening: wrong number") as refused:
        kernels.verify_rounds(
            2, kernels.ExtensionVector([1]), kernels.Extension(0), kernels.Transcript(b"test")
        )
    rejection = refused.value
    assert (rejection.check, rejection.expected, rejection.actual) == ("opening rounds", 4, 1)
    assert (rejection.round, rejection.index) == (None, None)


def test_checks_have_names_of_their_own() -> None:
    assert len(set(kernels.checks())) == len(kernels.checks()) > 10
