"""Workers that die, freeze, hang, answer wrongly or run out of memory: the proofs have the same bytes."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Setting, everywhere
from tests.faults.running import SEED, Program, chance, require_recovery, send

Act = Callable[[Program, list[int], random.Random], None]


def kill(count: int) -> Act:
    def act(program: Program, processes: list[int], draw: random.Random) -> None:
        for victim in draw.sample(processes, count):
            send(victim, signal.SIGKILL)

    return act


def freeze(program: Program, processes: list[int], draw: random.Random) -> None:
    send(draw.choice(processes), signal.SIGSTOP)


def freeze_for_a_while(program: Program, processes: list[int], draw: random.Random) -> None:
    victim = draw.choice(processes)
    send(victim, signal.SIGSTOP)
    time.sleep(5)
    send(victim, signal.SIGCONT)


def kill_again_and_again(program: Program, processes: list[int], draw: random.Random) -> None:
    """One of the two oldest, six times: it has started, and no rank is lost more often than is borne."""
    children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
    for _ in range(6):
        time.sleep(1.5)
        if program.process.poll() is None and (present := children.read_text().split()):
            oldest = sorted(map(int, present), key=started_at)[:2]
            send(draw.choice(oldest), signal.SIGKILL)


def started_at(process: int) -> int:
    """When a process started, in ticks of the kernel."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19])


def nothing(program: Program, processes: list[int], draw: random.Random) -> None:
    """The fault is in a worker."""


@dataclass(frozen=True)
class Scenario:
    """Attributes:
    rows: of the table of outcomes.
    losses: the least and the most workers that are lost.
    reason: what the first loss says of itself.
    begins: the event after which the fault comes.
    fault: of `Options`.
    seconds: within which all proofs are made after it.
    where: "local", "ray", or both.
    aim: seconds after the fault until lost ranks have processes.
    """

    name: str
    rows: tuple[int, ...]
    act: Act
    losses: tuple[int, int]
    reason: str = ""
    begins: str = "proving"
    fault: str = ""
    proofs: int = 2
    call_timeout: float = 600.0
    seconds: float = 90.0
    where: tuple[str, ...] = ("local", "ray")
    aim: float | None = None


ENDED = "its process"
SCENARIOS = (
    Scenario("a worker is killed", (1,), kill(1), (1, 1), ENDED, aim=2.0),
    Scenario("a worker is killed while a key is loaded", (2,), kill(1), (1, 1), ENDED, begins="loading"),
    Scenario("two workers are killed", (3,), kill(2), (2, 2), ENDED, aim=2.0),
    Scenario("all workers are killed", (4,), kill(4), (4, 4), ENDED, aim=2.0),
    Scenario("a worker is frozen", (5,), freeze, (1, 1), "no sign of life for 10 s", aim=15.0),
    Scenario("a worker is frozen for 5 s", (6,), freeze_for_a_while, (0, 0)),
    Scenario("a worker answers wrongly", (15,), nothing, (1, 1), "wrong answer to 'commit_", fault="wrong"),
    Scenario("a call hangs", (16,), nothing, (1, 1), "no answer within 5 s", fault="hang", call_timeout=5.0),
    Scenario("a worker is out of memory", (18,), nothing, (1, 1), "out of memory", fault="memory"),
    Scenario(
        "workers are killed one after the other",
        (19,),
        kill_again_and_again,
        (3, 6),
        ENDED,
        proofs=4,
        seconds=180.0,
        where=("local",),
    ),
)
CASES = [(scenario, where) for scenario in SCENARIOS for where in scenario.where]


def run(scenario: Scenario, setting: Setting, pause: float = 0.1) -> list[dict[str, Any]]:
    """Runs a scenario; the losses that the program reports."""
    draw = chance(scenario.name)
    options = {
        "proofs": scenario.proofs,
        "pause": pause,
        "call_timeout": scenario.call_timeout,
        "fault": scenario.fault,
        "flag": str(setting.folder / "flag"),
    }
    with setting.proving(**options) as program:
        processes = program.await_event("workers")["processes"]
        if scenario.begins != "workers":
            processes = program.await_event(scenario.begins).get("processes", processes)
        # Of some sixty calls a proof, and of a few to load a key.
        time.sleep(pause * (1 if scenario.begins == "loading" else draw.uniform(2, 30)))
        begin, fault = time.monotonic(), time.time()
        scenario.act(program, processes, draw)
        status = program.await_end(scenario.seconds)
        seconds = time.monotonic() - begin
    log = (setting.folder / "log").read_text()
    assert status == 0, f"seed {SEED}: {program.events[-1:]}\n{log}"
    proofs = [event["proof"] for event in program.of("proved")]
    assert proofs == [setting.keys.proof] * scenario.proofs, f"seed {SEED}"
    (report,) = program.of("report")
    assert "Traceback" not in log
    losses: list[dict[str, Any]] = report["losses"]
    recovery = require_recovery(losses, fault, scenario.aim)
    setting.measured(scenario.name, seconds, f"{len(losses)} lost{recovery}")
    return losses


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(
    ("scenario", "setting"), CASES, indirect=["setting"], ids=lambda part: getattr(part, "name", part)
)
def test_workers(scenario: Scenario, setting: Setting) -> None:
    losses = run(scenario, setting)
    least, most = scenario.losses
    assert least <= len(losses) <= most, f"seed {SEED}: {losses}"
    assert all(scenario.reason in loss["reason"] for loss in losses[:1])
    assert all(loss["action"] == "replaced" for loss in losses)


@pytest.mark.parametrize("setting", ["local"], indirect=True)
def test_a_worker_is_killed(setting: Setting) -> None:
    """The smallest of these scenarios, in every run of the tests."""
    scenario = Scenario("smallest", (1,), kill(1), (1, 1), proofs=1)
    (loss,) = run(scenario, setting, pause=0.02)
    assert (loss["action"], loss["reason"][:11]) == ("replaced", ENDED)


@pytest.mark.slow
@pytest.mark.faults
@everywhere
def test_a_call_that_kills_whoever_runs_it_ends_the_command(setting: Setting) -> None:
    with setting.proving(fault="poison", pause=0.02) as program:
        program.await_event("proving")
        begin = time.monotonic()
        assert program.await_end(120) == 1
        setting.measured("a call kills whoever runs it", time.monotonic() - begin, "ends")
    (failed,) = program.of("failed")
    assert "was lost too often" in failed["error"]
    assert "'fold_layer'" in failed["error"]
    assert program.of("proved") == []
