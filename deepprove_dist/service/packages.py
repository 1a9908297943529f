"""The optional packages of the service, or how to get them."""

from __future__ import annotations

import importlib.util

from deepprove_dist.errors import MissingPackageError

PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "fsspec", "prometheus_client")


def require_service_packages() -> None:
    """Raises MissingPackageError unless all packages of the service are installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingPackageError(
            f"the service needs {' and '.join(missing)}: pip install 'deepprove-dist[service]'"
        )


def require_serve() -> None:
    """Raises MissingPackageError unless Ray Serve is installed."""
    # What Serve needs beside Ray itself.
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("grpc_reflection") is None:
        raise MissingPackageError(
            "a service on a cluster needs Ray Serve: pip install 'deepprove-dist[serve]'. "
            "On one machine it needs no Ray: serve --local"
        )
