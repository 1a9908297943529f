"""How many provers there are, by the jobs that wait: a policy of Ray Serve's autoscaler."""

from __future__ import annotations

from typing import Any

QUEUED = "queued"
"""What provers tell the autoscaler under this name: jobs that wait or run."""

JOBS_OF_A_RUNNER = 4
"""Such jobs for each prover, before there is another one."""


def runners_for_queue(context: Any) -> tuple[int, dict[str, Any]]:
    """How many provers there are to be, by the jobs that there are.

    `context` is Serve's AutoscalingContext; its second result is the policy's state, which has none.
    """
    queued = max((context.aggregated_metrics.get(QUEUED) or {}).values(), default=0.0)
    wanted = -int(-queued // JOBS_OF_A_RUNNER)
    most, least = context.capacity_adjusted_max_replicas, context.capacity_adjusted_min_replicas
    return max(least, min(most, wanted)), {}
