"""What instructions this CPU has, under the names that the Rust compiler gives them.

A feature is named here if it changes what the kernels' arithmetic compiles to. Also, every operating system
of the architecture must report it. The compiler's list also holds others, such as rdseed and xsave. A virtual
machine may hide these although no kernel uses them.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of a container: the time of CPUs that it has in a period, and the period; "max" is no limit."""

#: Architecture -> the compiler's name of a feature -> its name in /proc/cpuinfo.
LINUX_NAMES: dict[str, dict[str, str]] = {
    "x86_64": {
        "sse3": "pni",
        "sse4.1": "sse4_1",
        "sse4.2": "sse4_2",
        "lzcnt": "abm",
        "sha": "sha_ni",
        "avxvnni": "avx_vnni",
        "avx512vbmi2": "avx512_vbmi2",
        "avx512vnni": "avx512_vnni",
        "avx512bitalg": "avx512_bitalg",
        "avx512vpopcntdq": "avx512_vpopcntdq",
        "avx512bf16": "avx512_bf16",
        "avx512fp16": "avx512_fp16",
        "avx512vp2intersect": "avx512_vp2intersect",
    }
    | {
        name: name
        for name in (
            *("ssse3", "sse4a", "popcnt", "movbe", "aes", "pclmulqdq", "bmi1", "bmi2", "adx", "fma", "f16c"),
            *("avx", "avx2", "gfni", "vaes", "vpclmulqdq"),
            *("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi"),
        )
    },
    "aarch64": {
        "neon": "asimd",
        "aes": "aes",
        "sha2": "sha2",
        "sha3": "sha3",
        "crc": "crc32",
        "lse": "atomics",
        "rdm": "asimdrdm",
        "dotprod": "asimddp",
        "fp16": "asimdhp",
        "fcma": "fcma",
        "rcpc": "lrcpc",
        "i8mm": "i8mm",
        "bf16": "bf16",
        "sve": "sve",
        "sve2": "sve2",
    },
}

#: The compiler's name of a feature -> its name under `sysctl hw.optional`, on Macs of both architectures.
MAC_NAMES: dict[str, dict[str, str]] = {
    "x86_64": {
        "avx": "avx1_0",
        "avx2": "avx2_0",
        **{name: name for name in ("aes", "bmi1", "bmi2", "adx", "fma", "f16c")},
        **{name: name for name in ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")},
        **{name: name for name in ("avx512ifma", "avx512vbmi")},
    },
    "aarch64": {
        "aes": "arm.feat_aes",
        "sha2": "arm.feat_sha256",
        "sha3": "arm.feat_sha3",
        "lse": "arm.feat_lse",
        "dotprod": "arm.feat_dotprod",
        "fp16": "arm.feat_fp16",
        "i8mm": "arm.feat_i8mm",
        "bf16": "arm.feat_bf16",
    },
}


def architecture() -> str:
    """The CPU's architecture under the compiler's name."""
    machine = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def missing_features(needed: frozenset[str]) -> list[str]:
    """Those of `needed` (the compiler's names) that this CPU surely lacks, in alphabetical order.

    A feature is not reported where the operating system does not tell, or where it is none of those above.
    """
    if platform.system() == "Darwin":
        names, absent = MAC_NAMES.get(architecture(), {}), absent_on_mac(_sysctl())
    else:
        names = LINUX_NAMES.get(architecture(), {})
        absent = absent_on_linux(frozenset(names.values()), Path("/proc/cpuinfo"))
    return sorted(name for name in needed if names.get(name) in absent)


def absent_on_linux(flags: frozenset[str], cpuinfo: Path) -> frozenset[str]:
    """Those of `flags` that the first CPU in `cpuinfo` does not list; none where the file does not tell."""
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as lines:
            # Only the first CPU: reading on would ask the system for the clock of every other core.
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() in ("flags", "Features"):
                    return flags - frozenset(value.split())
    except OSError:
        pass
    return frozenset()


def absent_on_mac(settings: str) -> frozenset[str]:
    """The names, in lower case and without their prefix, that a listing of `hw.optional` gives as 0."""
    pairs = (line.partition(":") for line in settings.lower().splitlines())
    return frozenset(
        name.strip().removeprefix("hw.optional.") for name, _, value in pairs if value.strip() == "0"
    )


def _sysctl() -> str:
    """The listing `name: value`, one a line, of `sysctl hw.optional`; empty where it cannot be had."""
    import subprocess  # slow to import, and needed on a Mac only

    command = ["sysctl", "hw.optional"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout


def default_threads() -> int:
    """The cores that this process may run on; of a container with fewer CPUs' time, so many."""
    is_told = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if is_told else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        time, period = map(int, QUOTA.read_text(encoding="ascii").split())
        return max(1, min(cores, -(-time // period)))
    return cores
