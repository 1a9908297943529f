"""The Dockerfile takes files that there are, pins what it takes, and agrees with package and manifests."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import Distribution
from pathlib import Path

from tests.cluster.ray_config import PINNED_RAY, TOP

DOCKERFILE = (TOP / "cluster" / "Dockerfile").read_text()
CONSTRAINTS = (TOP / "cluster" / "constraints.txt").read_text()


def instructions(name: str) -> list[str]:
    """What follows an instruction's name, its continued lines joined."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def stages() -> dict[str, str]:
    """Images by the name of the stage that begins with them."""
    return dict(line.split(" AS ")[::-1] for line in instructions("FROM") if " AS " in line)


def test_what_it_is_made_from_is_pinned() -> None:
    names = stages()
    bases = [line.split(" AS ")[0] for line in instructions("FROM")]
    assert len(bases) == 3
    assert all(base in names or re.fullmatch(r"\w+:\d+\.\d+\.\d+-[\w-]+", base) for base in bases)
    for installed in re.findall(r"pip install (.*?)(?:&&|$)", "\n".join(instructions("RUN"))):
        assert "==" in installed or "--constraint" in installed


def test_it_is_built_of_what_a_wheel_needs() -> None:
    copied = [line.split()[:-1] for line in instructions("COPY") if not line.startswith("--from")]
    sources = {Path(name) for names in copied for name in names}
    tracked = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    for source in sources:
        assert any(Path(line).is_relative_to(source) for line in tracked.splitlines()), source
    assert {Path("kernels"), Path("deepprove_dist"), Path(".cargo"), Path("pyproject.toml")} < sources


def test_what_is_ignored_leaves_what_is_copied() -> None:
    ignored = (TOP / "cluster" / "Dockerfile.dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert kept == copied
    assert "kernels/target" in ignored


def test_versions() -> None:
    assert f"\nray=={PINNED_RAY}\n" in CONSTRAINTS
    workspace = (TOP / "kernels" / "Cargo.toml").read_text()
    (rust,) = re.findall(r'^rust-version = "([\d.]+)"', workspace, re.MULTILINE)
    assert stages()["wheel"].startswith(f"rust:{rust}")
    (version,) = re.findall(r'^version = "([\d.]+)"', (TOP / "pyproject.toml").read_text(), re.MULTILINE)
    for manifest in (TOP / "cluster" / "kubernetes").glob("ray*.yaml"):
        assert f"deepprove-dist:{version}\n" in manifest.read_text().replace(" # (*)", "")


def test_every_dependency_is_pinned() -> None:
    pinned = set(re.findall(r"^([\w-]+)==", CONSTRAINTS, re.MULTILINE))
    needed = [item for item in Distribution.from_name("deepprove-dist").requires or () if "extra" not in item]
    assert needed
    assert {re.match(r"[\w-]+", item)[0] for item in needed} <= pinned  # type: ignore[index]
