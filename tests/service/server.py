"""The service as a process, as an operator starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.service.client import Client
from deepprove_dist.service.clients import read_token

_END_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """A process of the service, and a client of it."""

    process: subprocess.Popen[str]
    client: Client

    def kill(self) -> None:
        """Ends it as a loss of power would."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Asks it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_END_SECONDS)


@contextmanager
def serving(state: Path, *arguments: object) -> Iterator[Server]:
    """`deepprove-dist serve` with a state folder, on a free port; ended with the block."""
    program = "from deepprove_dist.cli.program import run; run()"
    command = [sys.executable, "-c", program, "serve", "--state", state, "--local", "--port", 0]
    with (state.parent / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [*map(str, command), *map(str, arguments), "--json"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            assert process.stdout is not None
            fields = json.loads(process.stdout.readline())
            yield Server(process, Client(fields["url"], read_token(Path(fields["token_file"]))))
        finally:
            process.kill()
            process.wait()
