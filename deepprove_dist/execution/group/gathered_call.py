"""A call on what ranks published, as journals have it: with digests in place of the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepprove_dist.errors import WorkerError, WorkerLost
from deepprove_dist.execution.calls.messages import decoder, encode
from deepprove_dist.execution.calls.requests import (
    GetPublished,
    MethodCall,
    Outcome,
    UseShares,
    ValueDigest,
)

_VALUES = decoder(bytes)


@dataclass(frozen=True)
class GatheredCall:
    """A method call on the values with these digests, by the rank that publishes each."""

    call: MethodCall
    digests: Mapping[int, ValueDigest]

    def with_values(self, get: Callable[[Mapping[int, bytes]], Mapping[int, Outcome]]) -> bytes:
        """The request with the values in it; `get` sends requests for them to the ranks that publish them.

        Raises WorkerLost as `get` does, and for ranks that publish other values than before.
        """
        requests = {rank: encode(GetPublished(digest.digest)) for rank, digest in self.digests.items()}
        return encode(UseShares(self.call, tuple(self._values(get(requests)))))

    def _values(self, outcomes: Mapping[int, Outcome]) -> list[bytes]:
        values: list[bytes] = []
        wrong: dict[int, str] = {}
        for rank, digest in self.digests.items():
            try:
                value = _VALUES.decode(outcomes[rank].require())
            except (WorkerError, ValueError) as error:
                wrong[rank] = str(error)
                continue
            values.append(value)
            if ValueDigest.of(value) != digest:
                wrong[rank] = "it publishes other bytes than it said"
        if wrong:
            raise WorkerLost(wrong, {})
        return values
