"""A service in a process of its own, as an operator starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.service.client import Client
from deepprove_dist.service.clients import read_token

_PROGRAM = "from deepprove_dist.cli.program import run; run()"
_END_SECONDS = 30


@dataclass(frozen=True)
class Service:
    """A process of the service, and a client of it."""

    process: subprocess.Popen[str]
    client: Client

    def kill(self) -> None:
        """Ends it as a loss of power would; its workers end with it."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Asks it to end; its exit status."""
        self.process.terminate()
        return self.process.wait(_END_SECONDS)


def children(process: int) -> list[int]:
    """Children of any of a process's threads: its workers."""
    listed: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):
            listed += map(int, (task / "children").read_text().split())
    return listed


def busiest_seconds(process: int) -> float:
    """CPU time of a service's process so far, and of the worker that had the most."""
    return _cpu_seconds(process) + max(map(_cpu_seconds, children(process)), default=0.0)


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(state: Path, *arguments: object, cores: Collection[int] | None = None) -> Iterator[Service]:
    """`deepprove-dist serve --local` with a state folder, on a free port; killed with the block.

    It may be kept on some cores, by their numbers, with its workers. Its log goes to a file `serve.log`
    beside the folder.
    """
    kept = "" if cores is None else f"import os; os.sched_setaffinity(0, {[*cores]}); "
    options = ("serve", "--state", state, "--local", "--port", 0, *arguments, "--json")
    with (state.parent / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", kept + _PROGRAM, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    try:
        assert process.stdout is not None
        fields = json.loads(process.stdout.readline())
        client = Client(fields["url"], read_token(Path(fields["token_file"])))
        yield Service(process, client)
    finally:
        process.kill()
        process.wait()
