"""Proofs of one sample on growing numbers of workers, each worker's work measured alone.

Cores here are few, so workers run in this process, one after the other, with one thread each. Work, messages
and rounds are the same as on separate machines. The rounds of a proof are the same every time, so each is
measured several times, and the least is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.models import Model
from benchmarks.scaling import ScalingPoint
from deepprove_dist import api
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.profile import Profile, Round
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.keys import load_proving_key, save_keys
from deepprove_dist.prover import ProvingKey

REPEATS = 9
"""Proofs for each number of workers; the first warms up and is not counted."""


def measure_scaling(model: Model, workers: Sequence[int]) -> Iterator[ScalingPoint]:
    """A point for each number of workers; one worker is a machine alone, without messages."""
    with TemporaryDirectory(prefix="deepprove-dist-") as folder:
        save_keys(api.setup(model.file, model.calibration, accept_error=True, threads=1).proving, folder)
        yield from scale_keys(model.name, Path(folder), model.scored.select(0).inputs, workers)


def scale_keys(
    config: str, keys: Path, inputs: Mapping[str, api.FloatArray], workers: Sequence[int]
) -> Iterator[ScalingPoint]:
    """The points of keys in a folder."""
    for count in workers:
        if count == 1:
            proving = load_proving_key(keys, threads=1)
            alone = min(_proving_ms(proving, inputs) for _ in range(REPEATS))
            yield ScalingPoint(config, 1, alone, alone, {}, 0.0, 0, 0, 0, 0)
            continue
        profile = Profile()
        group = WorkerGroup(InProcessExecutor(count), profile=profile)
        proving = load_proving_key(keys, threads=1, group=group)
        runs = [_profiled(profile, proving, inputs) for _ in range(REPEATS)]
        group.executor.close()
        yield _point(config, count, runs[1:])


def _proving_ms(proving: ProvingKey, inputs: Mapping[str, api.FloatArray]) -> float:
    result = api.prove(proving, inputs)
    return result.inference_ms + result.proving_ms


def _profiled(
    profile: Profile, proving: ProvingKey, inputs: Mapping[str, api.FloatArray]
) -> tuple[float, list[Round]]:
    """One proof: milliseconds, and its rounds."""
    first = len(profile.rounds)
    elapsed = _proving_ms(proving, inputs)
    return elapsed, profile.rounds[first:]


def _point(config: str, workers: int, runs: Sequence[tuple[float, list[Round]]]) -> ScalingPoint:
    elapsed = [milliseconds for milliseconds, _ in runs]
    busy_ms: dict[str, list[float]] = {}
    slowest = 0.0
    bytes_out = bytes_in = peer_bytes = rounds = 0
    for same in zip(*(rounds for _, rounds in runs), strict=True):
        ranks = same[0].shares
        least = {rank: 1e3 * min(timed.shares[rank].busy for timed in same) for rank in ranks}
        slowest += max(least.values())
        busy = busy_ms.setdefault(same[0].phase, [0.0] * workers)
        for rank, milliseconds in least.items():
            busy[rank] += milliseconds
        bytes_out += sum(share.bytes_out for share in ranks.values())
        bytes_in += sum(share.bytes_in for share in ranks.values())
        fetched = max(share.fetched for share in ranks.values())
        peer_bytes += fetched
        rounds += 1 if fetched == 0 else 2
    # What a round takes beside its workers is the network's matter, which is computed.
    coordinator = min(total - _calling_ms(rounds) for total, rounds in runs)
    return ScalingPoint(
        config, workers, min(elapsed), coordinator, busy_ms, slowest, bytes_out, bytes_in, peer_bytes, rounds
    )


def _calling_ms(rounds: Sequence[Round]) -> float:
    return 1e3 * sum(timed.end - timed.begin for timed in rounds)
