"""The HTTP application: routes, errors, and headers of every answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

import deepprove_dist
from deepprove_dist.errors import first_line
from deepprove_dist.metrics.prometheus import PrometheusMetrics
from deepprove_dist.service.clients import Clients
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.problem import PROBLEM_TYPE, ServiceProblem
from deepprove_dist.service.routes import api, public

logger = logging.getLogger(__name__)

_DESCRIPTION = """Proofs of a committed neural network's outputs. Send `Authorization: Bearer TOKEN`.

Submit samples to a key, wait for the job, and fetch the proof. Whoever has the verifying key checks it."""


def create_application(
    jobs: JobService, clients: Clients, metrics: PrometheusMetrics | None = None
) -> FastAPI:
    """The application, which serves the jobs of these clients, and shows its metrics."""
    application = FastAPI(
        title="deepprove-dist",
        version=deepprove_dist.__version__,
        description=_DESCRIPTION,
        # Their pages load scripts from elsewhere. /openapi.json is served.
        docs_url=None,
        redoc_url=None,
    )
    application.state.jobs, application.state.clients = jobs, clients
    application.state.metrics = metrics or PrometheusMetrics()
    application.include_router(public)
    application.include_router(api)
    application.add_exception_handler(ServiceProblem, _answer_problem)
    application.add_exception_handler(SQLAlchemyError, _answer_store)
    application.middleware("http")(_uncached)
    return application


def _answer_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceProblem)
    return JSONResponse(error.fields(), error.status, dict(error.headers()), PROBLEM_TYPE)


def _answer_store(request: Request, error: Exception) -> Response:
    # Not to clients: it may have the database's address.
    logger.warning("the job store fails: %s", first_line(error))
    return _answer_problem(request, ServiceProblem(503, "store", "the job store does not answer", 5))


async def _uncached(request: Request, forward: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await forward(request)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
