"""A program that proves with workers who take their time, so that a fault meets the proof in the middle.

Usage: python -m tests.faults.prover FOLDER OPTIONS, with the keys' folder, and `Options` as JSON.
It says on standard output where it is, a JSON object a line.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import deepprove_dist as dp
from deepprove_dist.errors import DeepProveError
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.execution.phases.policy import SHARE_ALL
from deepprove_dist.kernels import Pool
from deepprove_dist.keys import INTEGER_MODEL
from tests.faults.slow_worker import Options, process_id, slow_worker

MODEL = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"
X = np.load(MODEL / "test.npz")["x"][0]


def say(event: str, **fields: Any) -> None:
    """A line for whoever started the program."""
    print(json.dumps({"event": event, **fields}), flush=True)


def main(folder: Path, options: Options) -> None:
    """Makes proofs, and says what was lost on the way."""
    keys = dp.ProvingKey.load(folder, threads=1)
    one = keys.prover
    cluster = ClusterOptions(
        ScalingConfig(options.workers, placement_timeout=options.placement_timeout),
        address=options.address,
        call_timeout=options.call_timeout,
        local=options.address is None,
    )
    with open_worker_group(cluster, partial(slow_worker, options)) as group:
        say("workers", processes=group.ask(process_id))
        say("loading")
        path = folder / INTEGER_MODEL
        shared = dp.ProvingKey(load_cluster_prover(one.model, path, one.verifying, group, Pool(1), SHARE_ALL))
        for number in range(options.proofs):
            say("proving", number=number, processes=group.ask(process_id))
            proof = shared.prove(X).content
            say("proved", number=number, proof=proof.hex())
        nodes = [runs_on.node for runs_on in group.descriptions]
        say("report", **group.recovery.report(), nodes=nodes)
    say("closed")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Options(**json.loads(sys.argv[2])))
    except DeepProveError as error:
        say("failed", error=str(error))
        sys.exit(1)
