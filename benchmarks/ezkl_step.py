"""One step of EZKL in a process of its own, under a limit of memory, for `ezkl.py`.

Reads one JSON object from standard input: "function", "arguments", "memory". The last line of standard
output is another: "milliseconds", "proof_milliseconds", "peak_bytes", "result".
"""

from __future__ import annotations

import json
import logging
import re
import resource
import sys
import time
from typing import Any

from deepprove_dist.memory import peak_rss_bytes


class ProofTimes(logging.Handler):
    """Finds the time of proving alone in what EZKL logs: "proof took 2.45" is 2 s and 45 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.milliseconds: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Remembers the time that a message tells."""
        if match := re.search(r"proof took (\d+)\.(\d+)", record.getMessage()):
            # The second part counts milliseconds, without leading zeros.
            self.milliseconds = 1000 * int(match[1]) + int(match[2])


def run_step(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Calls an EZKL function; `run_args` in its arguments become EZKL's own object."""
    import ezkl

    times = ProofTimes()
    logging.getLogger().addHandler(times)
    logging.getLogger().setLevel(logging.INFO)
    if "py_run_args" in arguments:
        run_args = ezkl.PyRunArgs()
        for name, value in arguments["py_run_args"].items():
            setattr(run_args, name, value)
        arguments = {**arguments, "py_run_args": run_args}
    begin = time.perf_counter()
    result = getattr(ezkl, function)(**arguments)
    return {
        "milliseconds": 1e3 * (time.perf_counter() - begin),
        "proof_milliseconds": times.milliseconds,
        "peak_bytes": peak_rss_bytes(),
        "result": result if isinstance(result, bool) else None,
    }


def main() -> None:
    """Runs the step that standard input describes."""
    request = json.load(sys.stdin)
    if request["memory"] is not None:
        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    print(json.dumps(run_step(request["function"], request["arguments"])))


if __name__ == "__main__":
    main()
