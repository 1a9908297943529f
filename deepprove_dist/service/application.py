"""The HTTP application: routes, errors, and headers of every answer."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    application.add_middleware(_Uncached)
    return application


def _answer_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceProblem)
    return JSONResponse(error.fields(), error.status, dict(error.headers()), PROBLEM_TYPE)


def _answer_store(request: Request, error: Exception) -> Response:
    # Not to clients: it may have the database's address.
    logger.warning("the job store fails: %s", first_line(error))
    return _answer_problem(request, ServiceProblem(503, "store", "the job store does not answer", 5))


class _Uncached:
    """Says with each answer that nobody may keep it, or take it for another type."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_uncached(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        await self._app(scope, receive, send_uncached)
