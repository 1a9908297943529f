"""A service in a process of its own, as an operator starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def serving(state: Path, *arguments: object) -> Iterator[Service]:
    """`deepprove-dist serve --local` with a state folder, on a free port; killed with the block.

    Its log goes to a file `serve.log` beside the folder.
    """
    options = ("serve", "--state", state, "--local", "--port", 0, *arguments, "--json")
    with (state.parent / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *map(str, options)],
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
