"""The HTTP interface: its paths.

`POST /v1/keys/KEY/jobs` submits the samples in its body; parameters say the remainder. A header
`Idempotency-Key` makes a submission that is sent twice one job.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse

from deepprove_dist.errors import SamplesError
from deepprove_dist.metrics.prometheus import CONTENT_TYPE, PrometheusMetrics
from deepprove_dist.service.clients import Clients, ServiceClient
from deepprove_dist.service.job import Job, JobState
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.media import MESSAGEPACK, SUFFIXES
from deepprove_dist.service.metrics import count_jobs
from deepprove_dist.service.page import HEADERS, page
from deepprove_dist.service.problem import PROBLEM_TYPE, ServiceProblem
from deepprove_dist.service.sample_body import parse_index
from deepprove_dist.service.schemas import (
    HealthView,
    JobPage,
    JobView,
    KeyView,
    ProblemView,
    StatusView,
    VerificationView,
)
from deepprove_dist.service.submission_checks import SubmissionOptions

BINARY = "application/octet-stream"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"model": ProblemView, "content": {PROBLEM_TYPE: {}}, "description": "Not served, and why"}
}
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {BINARY: {}}, "description": "The file"}}
_JOB_OR_FILE: dict[int | str, dict[str, Any]] = {
    200: {"model": JobView, "content": {BINARY: {}}, "description": "The job, or the proof's file"}
}
_SAMPLES = {
    "requestBody": {
        "required": True,
        "description": "Samples as `prove --input` reads them. MessagePack has the object of the JSON form, "
        "or {name: {shape, data}} with float64, little endian.",
        "content": {
            name: {"schema": {"type": "string", "format": "binary"} if name != "application/json" else {}}
            for name in (*SUFFIXES, *MESSAGEPACK)
        },
    }
}

public = APIRouter()
api = APIRouter(prefix="/v1", responses=_PROBLEMS)


# Both are quick, and coroutines, since functions would each wait for a thread.
async def service_of(request: Request) -> JobService:
    """The service that the application was made for."""
    service: JobService = request.app.state.jobs
    return service


async def client_of(request: Request) -> ServiceClient:
    """The client whose token the request has. Raises ServiceProblem."""
    clients: Clients = request.app.state.clients
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    client = clients.authenticate(token.strip()) if scheme.lower() == "bearer" else None
    if client is None:
        raise ServiceProblem(
            401, "token", "the request has no token of a client: Authorization: Bearer TOKEN"
        )
    return client


Jobs = Annotated[JobService, Depends(service_of)]
Caller = Annotated[ServiceClient, Depends(client_of)]
Wait = Annotated[
    float, Query(ge=0, description="Seconds to wait for the job's end, within the service's limit")
]


WithProof = Annotated[
    bool, Query(description="Answer with the proof, in base64, if the job is done: no second request")
]
Accepted = Annotated[
    str,
    Header(
        description=f"With {BINARY} the answer is the proof's file, status 200, if the job is done by then"
    ),
]


@public.get("/", response_class=HTMLResponse, include_in_schema=False)
def show_page() -> HTMLResponse:
    """The page: it has no data, and asks for them with the token that its user types."""
    return HTMLResponse(page(), headers=dict(HEADERS))


@public.get("/healthz", tags=["service"])
def health() -> HealthView:
    """The process answers."""
    return HealthView(status="ok")


@public.get("/readyz", tags=["service"], responses=_PROBLEMS)
def ready(jobs: Jobs) -> HealthView:
    """Jobs are taken: the store answers, and there is a runner."""
    jobs.require_ready()
    return HealthView(status="ready")


@public.get("/metrics", tags=["service"], response_class=Response, responses=_PROBLEMS)
def show_metrics(request: Request, jobs: Jobs, client: Caller) -> Response:
    """Metrics, for Prometheus. It sends a client's token, as everybody does."""
    metrics: PrometheusMetrics = request.app.state.metrics
    count_jobs(metrics, jobs.counts())
    return Response(metrics.text(), media_type=CONTENT_TYPE)


@api.get("/keys", tags=["keys"])
def list_keys(jobs: Jobs, client: Caller) -> list[KeyView]:
    """The served keys."""
    return [KeyView(**fields) for fields in jobs.list_keys()]


@api.get("/keys/{key}/verifying.key", tags=["keys"], response_class=Response, responses=_FILE)
def get_verifying_key(key: str, jobs: Jobs, client: Caller) -> Response:
    """What a verifier needs."""
    return _download(jobs.verifying_key(key), "verifying.key")


@api.post(
    "/keys/{key}/jobs",
    tags=["jobs"],
    status_code=202,
    response_model=JobView,
    responses=_JOB_OR_FILE,
    openapi_extra=_SAMPLES,
)
async def submit(
    key: str,
    request: Request,
    jobs: Jobs,
    client: Caller,
    index: Annotated[str, Query(description="Which sample of the body: 3, or 0:16")] = "0",
    context: Annotated[str, Query(description="Text that the proof is bound to")] = "",
    clamp: Annotated[bool, Query(description="Move values outside the range to its end")] = False,
    carry: Annotated[bool, Query(description="Put certificates of a later epoch into the proof")] = True,
    priority: Annotated[int, Query(description="0 to 9; the higher, the earlier")] = 0,
    deadline: Annotated[float | None, Query(description="Seconds until the job fails")] = None,
    wait: Wait = 0.0,
    proof: WithProof = False,
    idempotency_key: Annotated[str | None, Header()] = None,
    accept: Accepted = "",
) -> Response:
    """Submits a proof. 202 for a job that is new, 200 for one that was submitted before."""
    try:
        options = SubmissionOptions(
            parse_index(index), context.encode(), clamp, carry, priority, deadline, idempotency_key
        )
    except SamplesError as error:
        raise ServiceProblem(422, "input", str(error)) from error
    body = await _body(request, jobs)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    job, new = await run_sync(jobs.submit, client, key, body, media, options)
    ended, content = await _await_end(jobs, client, job, wait, proof=proof or BINARY in accept)
    return _answer(ended, content, accept, 202 if new else 200)


@api.get("/jobs", tags=["jobs"])
def list_jobs(
    jobs: Jobs,
    client: Caller,
    state: JobState | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> JobPage:
    """The client's jobs, the latest first."""
    listed = jobs.jobs(client, state, before, limit)
    more = listed[-1].sequence if len(listed) == limit else None
    return JobPage(jobs=list(map(_view, listed)), before=more)


@api.get("/jobs/{job}", tags=["jobs"], response_model=JobView, responses=_JOB_OR_FILE)
async def get_job(
    job: str, jobs: Jobs, client: Caller, wait: Wait = 0.0, proof: WithProof = False, accept: Accepted = ""
) -> Response:
    """A job; with `wait`, once it has ended or the time is over."""
    present = await run_sync(jobs.job, client, job)
    return _answer(
        *await _await_end(jobs, client, present, wait, proof=proof or BINARY in accept), accept, 200
    )


@api.post("/jobs/{job}/cancel", tags=["jobs"])
def cancel(job: str, jobs: Jobs, client: Caller) -> JobView:
    """Cancels a job. One that is running ends at the next phase of its proof."""
    return _view(jobs.cancel(client, job))


@api.get("/jobs/{job}/proof", tags=["jobs"], response_class=Response, responses=_FILE)
def get_proof(job: str, jobs: Jobs, client: Caller) -> Response:
    """The proof's file."""
    return _download(jobs.proof(client, job), f"{job}.proof")


@api.get("/jobs/{job}/openings/{tensor:path}", tags=["jobs"], response_class=Response, responses=_FILE)
def get_opening(job: str, tensor: str, jobs: Jobs, client: Caller) -> Response:
    """The file that opens the commitment to a hidden input or output: as secret as the values."""
    return _download(jobs.opening(client, job, tensor), f"{job}.opening")


@api.post("/jobs/{job}/verify", tags=["jobs"])
def verify(job: str, jobs: Jobs, client: Caller) -> VerificationView:
    """Verifies a proof. Whoever does not trust the service verifies by the verifying key."""
    return VerificationView(**jobs.verify(client, job))


@api.get("/status", tags=["service"])
def status(jobs: Jobs, client: Caller) -> StatusView:
    """The queue and the runners."""
    return StatusView(**jobs.status(client))


async def _body(request: Request, jobs: JobService) -> bytes:
    """The body, within the limits on its size and on the time that it takes. Raises ServiceProblem."""
    most, content = jobs.limits.body_bytes, bytearray()
    large = ServiceProblem(413, "body", f"a body has at most {most:,} bytes")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise large
    try:
        with anyio.fail_after(jobs.limits.body_seconds):
            async for part in request.stream():
                content += part
                if len(content) > most:
                    raise large
    except TimeoutError as error:
        detail = f"the body did not arrive within {jobs.limits.body_seconds:g} s"
        raise ServiceProblem(408, "body", detail) from error
    return bytes(content)


async def _await_end(
    jobs: JobService, client: ServiceClient, job: Job, seconds: float, *, proof: bool
) -> tuple[Job, bytes | None]:
    """The job once it has ended, or as it is when the time is over or the service ends.

    With `proof` also the proof, if the job is done.
    """
    end = time.monotonic() + min(seconds, jobs.limits.wait_seconds)

    def read() -> tuple[Job, bytes | None]:
        present = jobs.job(client, job.id)
        wanted = proof and present.state is JobState.DONE
        return present, jobs.proof_of(present) if wanted else None

    content = None
    with jobs.waiters.waiting(job.id) as wait:
        # Where the runner is elsewhere, nobody wakes this request.
        pause = _LONGEST_PAUSE if jobs.waiters.woken else _FIRST_PAUSE
        while not job.state.ended and not jobs.draining and (left := end - time.monotonic()) > 0:
            with anyio.move_on_after(min(pause, left)):
                await wait.ended.wait()
            if wait.done is not None:
                job, content = wait.done, wait.proof if proof else None
                break
            job, content = await run_sync(read)
            pause = min(1.3 * pause, _LONGEST_PAUSE)
    if proof and job.state is JobState.DONE and content is None:
        content = await run_sync(jobs.proof_of, job)
    return job, content


def _view(job: Job) -> JobView:
    return JobView(**job.fields())


def _answer(job: Job, proof: bytes | None, accept: str, status: int) -> Response:
    """A job in the form that a request accepts: the proof's file, or JSON, with the proof if there is one."""
    location = {"Location": f"/v1/jobs/{job.id}"}
    if proof is not None and BINARY in accept:
        return _download(proof, f"{job.id}.proof", location)
    view = JobView(**job.fields(), proof=None if proof is None else b64encode(proof).decode())
    # As text at once: FastAPI would make plain values of it first, which takes a while for a proof.
    return Response(view.model_dump_json(), status, location, "application/json")


def _download(content: bytes, name: str, more: Mapping[str, str] | None = None) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **(more or {})}
    return Response(content, media_type=BINARY, headers=headers)
