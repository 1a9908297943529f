import platform
import resource
import subprocess
import sys

import pytest

from deepprove_dist.memory import keep_free_memory, peak_rss_bytes

PAGE = resource.getpagesize()
BLOCK = 60 << 20
"""More than glibc's heap ever has by itself."""


def faults_again(*, keep: bool) -> int:
    """Pages that a thread of a new process faults in when it takes blocks again that it has freed."""
    program = f"""
import resource, threading
from deepprove_dist.memory import keep_free_memory
{"keep_free_memory()" if keep else ""}
def work():
    faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(2):
        begin = faults()
        blocks = [bytearray(b"x") * {BLOCK} for _ in range(2)]
        del blocks
    print(faults() - begin)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    return int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such options")
def test_free_memory_is_kept() -> None:
    pages = 2 * BLOCK // PAGE
    assert faults_again(keep=False) > pages // 2
    assert faults_again(keep=True) < pages // 10


def test_the_peak_grows_with_what_the_process_holds() -> None:
    more = peak_rss_bytes() + BLOCK
    block = bytearray(b"x") * more
    assert peak_rss_bytes() >= more
    del block
    assert peak_rss_bytes() >= more


@pytest.mark.skipif(platform.system() != "Linux", reason="other systems hand no peak down")
def test_the_peak_of_a_parent_is_not_the_child_s() -> None:
    child = "from deepprove_dist.memory import peak_rss_bytes; print(peak_rss_bytes())"
    program = f"""
import os, sys
block = bytearray(b"x") * {8 * BLOCK}
os.execv(sys.executable, [sys.executable, "-c", {child!r}])
"""
    peak = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
    assert PAGE < peak < 8 * BLOCK


def test_a_c_library_without_options_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    keep_free_memory()
