"""A client of the service, for Python programs. It needs nothing but the standard library.

A submission has an idempotency key. So it is sent again where the connection breaks, and is one job all the
same.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from deepprove_dist.errors import ChoiceError, DeepProveError, ExecutionError
from deepprove_dist.service.connections import NO_ANSWER, Connections, HttpAnswer

JSON, BINARY = "application/json", "application/octet-stream"
ENDED = ("done", "failed", "cancelled")

_WAIT_SECONDS, _LEAST_PAUSE = 30.0, 0.5
_CONTACT_SECONDS = 4.0
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts of a request that did not reach the service, or that it cannot serve yet."""

_LATER = (429, 503)


class ServiceError(DeepProveError):
    """The service does not serve a request; `status` is HTTP's, `code` says why, for programs."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code = status, code


class JobFailed(DeepProveError):
    """A job that ended without a proof; `job` is what the service says of it."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        super().__init__(f"job {job['id']} {job['state']}: {job['problem'] or 'it has no proof'}")
        self.job = job


@dataclass(frozen=True)
class Client:
    """A service at an address.

    Attributes:
        url: such as http://127.0.0.1:8450.
        token: of a client of the service.
        retry_seconds: for which a request is sent again where the service is not there, or busy.
        answer_seconds: that an answer may take, beside what a request waits for.
        tls: trusts other certificates than the system does.

    Example:
        >>> client = Client("http://127.0.0.1:8450", token)
        >>> job = client.submit("digits", {"input_data": [[0.5, 0.25]]})
        >>> proof = client.proof(client.wait(job["id"])["id"])
    """

    url: str
    token: str
    retry_seconds: float = 30.0
    answer_seconds: float = 60.0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ChoiceError(f"{self.url!r} is no address of a service: http://HOST:PORT")

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def require_service(self) -> None:
        """Requires a service at the address, within seconds, which a request would wait longer for.

        Raises ExecutionError where nobody answers, or somebody else does.
        """
        briefly = replace(self, retry_seconds=_CONTACT_SECONDS, answer_seconds=_CONTACT_SECONDS)
        try:
            status = json.loads(briefly._send("GET", "/healthz"))["status"]
        except (ServiceError, ValueError, KeyError, TypeError):
            status = None
        if status != "ok":
            raise ExecutionError(f"what answers at {self.url} is no service of deepprove-dist")

    def submit(
        self,
        key: str,
        samples: Mapping[str, Any] | bytes,
        *,
        media: str = JSON,
        index: str = "0",
        context: str = "",
        clamp: bool = False,
        carry: bool = True,
        priority: int = 0,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        wait: float = 0.0,
        proof: bool = False,
    ) -> dict[str, Any]:
        """Submits samples, and returns the job.

        Args:
            key: the name of a served key.
            samples: the object of a JSON file of samples, or the bytes of a file of the type `media`.
            media: application/json, application/x-npz, application/x-npy or application/msgpack.
            index: which sample, "3", or several, "0:16".
            context: text that the proof is bound to.
            clamp: moves values outside the calibrated range to its end.
            carry: puts certificates of a later epoch into the proof.
            priority: 0 to 9; the higher, the earlier.
            deadline: seconds until the job fails.
            idempotency_key: a name for this submission: with the same one it is the same job.
            wait: seconds to wait for the job's end.
            proof: the answer has the proof in base64, if the job is done by then.

        Raises:
            ServiceError: where the submission is refused.
            ExecutionError: where the service does not answer.
        """
        options = {
            "index": index,
            "context": context,
            "clamp": clamp,
            "carry": carry,
            "priority": priority,
            "deadline": deadline,
            "wait": wait,
            "proof": proof,
        }
        answer = self._submit(key, samples, options, media, idempotency_key)
        fields: dict[str, Any] = json.loads(answer.content)
        return fields

    def prove(
        self,
        key: str,
        samples: Mapping[str, Any] | bytes,
        *,
        media: str = JSON,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> bytes:
        """Submits, waits, and returns the bytes of the proof. Options are those of `submit`.

        Raises as `submit` and `wait` do.
        """
        options["wait"] = _WAIT_SECONDS
        answer = self._submit(key, samples, options, media, idempotency_key, accept=BINARY)
        if answer.media == BINARY:
            return answer.content
        return self.proof(self.wait(json.loads(answer.content)["id"])["id"])

    def job(self, job: str, wait: float = 0.0, *, proof: bool = False) -> dict[str, Any]:
        """A job; with `wait`, once it has ended or after so many seconds; with its `proof`, in base64."""
        return self._json("GET", f"/v1/jobs/{job}", {"wait": wait, "proof": proof})

    def wait(self, job: str, seconds: float | None = None, *, proof: bool = False) -> dict[str, Any]:
        """A job that is done. Raises JobFailed where it ended otherwise, ExecutionError after `seconds`."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            begin = time.monotonic()
            left = _WAIT_SECONDS if end is None else max(0.0, min(_WAIT_SECONDS, end - begin))
            present = self.job(job, left, proof=proof)
            if present["state"] == "done":
                return present
            if present["state"] in ENDED:
                raise JobFailed(present)
            if end is not None and time.monotonic() >= end:
                raise ExecutionError(f"job {job} is {present['state']} after {seconds:g} s")
            # A service that ends answers at once.
            time.sleep(max(0.0, min(left, _LEAST_PAUSE) - (time.monotonic() - begin)))

    def jobs(self, state: str | None = None, before: int | None = None, limit: int = 100) -> dict[str, Any]:
        """The client's jobs, the latest first, and where the next page begins."""
        options = {"state": state, "before": before, "limit": limit}
        return self._json(
            "GET", "/v1/jobs", {name: value for name, value in options.items() if value is not None}
        )

    def cancel(self, job: str) -> dict[str, Any]:
        """Cancels a job."""
        return self._json("POST", f"/v1/jobs/{job}/cancel")

    def proof(self, job: str) -> bytes:
        """The bytes of a proof's file."""
        return self._send("GET", f"/v1/jobs/{job}/proof")

    def opening(self, job: str, tensor: str) -> bytes:
        """The bytes of the file that opens the commitment to a hidden tensor."""
        return self._send("GET", f"/v1/jobs/{job}/openings/{quote(tensor, safe='')}")

    def verify(self, job: str) -> dict[str, Any]:
        """What the service says of a proof's validity."""
        return self._json("POST", f"/v1/jobs/{job}/verify")

    def list_keys(self) -> list[dict[str, Any]]:
        """The served keys."""
        keys: list[dict[str, Any]] = json.loads(self._send("GET", "/v1/keys"))
        return keys

    def verifying_key(self, key: str) -> bytes:
        """The bytes of a verifying key's file."""
        return self._send("GET", f"/v1/keys/{quote(key, safe='')}/verifying.key")

    def status(self) -> dict[str, Any]:
        """The queue and the runners."""
        return self._json("GET", "/v1/status")

    def _submit(
        self,
        key: str,
        samples: Mapping[str, Any] | bytes,
        options: Mapping[str, Any],
        media: str,
        idempotency_key: str | None,
        accept: str = JSON,
    ) -> HttpAnswer:
        """Submits samples; what is not among the options, or None, is as the service has it."""
        body = samples if isinstance(samples, bytes) else json.dumps(samples).encode()
        given = {name: value for name, value in options.items() if value is not None}
        headers = {
            "Accept": accept,
            "Content-Type": media,
            "Idempotency-Key": idempotency_key or secrets.token_hex(16),
        }
        return self._ask("POST", f"/v1/keys/{quote(key, safe='')}/jobs", given, body, headers)

    @cached_property
    def _connections(self) -> Connections:
        return Connections(self.url, self.tls)

    def _json(self, *request: Any) -> dict[str, Any]:
        """The answer to a request, which is that of `_send`."""
        fields: dict[str, Any] = json.loads(self._send(*request))
        return fields

    def _send(self, method: str, path: str, options: Mapping[str, Any] | None = None) -> bytes:
        """The content of the answer to a request."""
        return self._ask(method, path, options).content

    def _ask(
        self,
        method: str,
        path: str,
        options: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Sends a request until it is answered; all of them may be sent twice."""
        query = f"?{urlencode(options)}" if options else ""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        waits = self.answer_seconds + float((options or {}).get("wait", 0.0))
        end, pauses = time.monotonic() + self.retry_seconds, iter(_PAUSES)
        problem: DeepProveError
        while True:
            try:
                answer = self._connections.ask(method, f"{path}{query}", body, sent, waits)
            except NO_ANSWER as error:
                problem, pause = ExecutionError(f"no service answers at {self.url}: {error}"), 0.0
            else:
                if 200 <= answer.status < 300:
                    return answer
                problem, later = _problem(answer), _retry_after(answer)
                if answer.status not in _LATER or later is None:
                    raise problem
                pause = later
            pause = max(pause, next(pauses, _PAUSES[-1]))
            if time.monotonic() + pause > end:
                raise problem
            time.sleep(pause)


def decode_proof(job: Mapping[str, Any]) -> bytes:
    """The bytes of the proof in an answer that was asked for it. Raises ExecutionError where it has none."""
    try:
        return base64.b64decode(job["proof"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise ExecutionError(f"the service answers without the proof of job {job['id']}") from error


def _problem(answer: HttpAnswer) -> DeepProveError:
    try:
        fields = json.loads(answer.content)
        return ServiceError(answer.status, fields["code"], fields["detail"])
    except (ValueError, KeyError, TypeError):
        return ServiceError(answer.status, "http", f"the service answers {answer.status} {answer.reason}")


def _retry_after(answer: HttpAnswer) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
