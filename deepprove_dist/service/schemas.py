"""What the HTTP interface answers, for its OpenAPI document. Times are seconds since 1970."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class JobView(BaseModel):
    """A job, as its client sees it; `code` and `problem` say why it failed, `result` what was proven.

    `proof` is the proof's file in base64, where the request asks for it and the job is done.
    """

    id: str
    key: str
    state: str
    priority: int
    context: str
    created: float
    deadline: float | None
    started: float | None
    finished: float | None
    attempts: int
    phase: str | None
    phases: dict[str, float]
    code: str | None
    problem: str | None
    result: dict[str, Any] | None
    proof: str | None = None


class JobPage(BaseModel):
    """Jobs, the latest first; `before` of the next page, or nothing where there is none."""

    jobs: list[JobView]
    before: int | None


class KeyView(BaseModel):
    """A served key: what it takes, what a proof costs, and how many proofs are left."""

    name: str
    digest: str
    hiding: bool
    max_batch: int
    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]
    memory_bytes: int
    proving_ms: float
    proof_bytes: int
    remaining: int | None
    problem: str | None


class RunnerView(BaseModel):
    """A runner: what it does, and its workers. Its job is named to the job's client only."""

    id: str
    started: float
    seen: float
    draining: bool
    job: str | None
    key: str | None
    phase: str | None
    loaded: list[str]
    workers: list[dict[str, Any]]


class StatusView(BaseModel):
    """Jobs by state, of all clients and of the one that asks; and runners."""

    draining: bool
    jobs: dict[str, int]
    mine: dict[str, int]
    runners: list[RunnerView]


class VerificationView(BaseModel):
    """Whether a proof is valid, and for which key."""

    valid: bool
    problem: str | None
    key: str


class HealthView(BaseModel):
    """The process answers."""

    status: str


class ProblemView(BaseModel):
    """RFC 9457, with a code for programs."""

    type: str
    status: int
    code: str
    detail: str
