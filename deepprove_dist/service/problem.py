"""What the HTTP interface says of a request that it does not serve: RFC 9457, with a code for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepprove_dist.errors import DeepProveError

PROBLEM_TYPE = "application/problem+json"


class ServiceProblem(DeepProveError):
    """A request that is not served.

    Attributes:
        status: of HTTP.
        code: what is wrong, for programs: stable.
        detail: what is wrong and what to do, for people.
        retry_after: seconds after which the same request may be served; None where waiting does not help.
    """

    def __init__(self, status: int, code: str, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after = status, code, detail, retry_after

    def fields(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"type": "about:blank", "status": self.status, "code": self.code, "detail": self.detail}

    def headers(self) -> Mapping[str, str]:
        """Of the answer, beside its type."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {**headers, "WWW-Authenticate": "Bearer"} if self.status == 401 else headers
