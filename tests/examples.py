"""Settings of properties whose examples take long: a failure is shown as it is found, not made smaller."""

from hypothesis import HealthCheck, Phase, settings


def few(count: int) -> settings:
    """The same examples in each run."""
    phases, checks = [Phase.generate], list(HealthCheck)
    return settings(max_examples=count, derandomize=True, phases=phases, suppress_health_check=checks)


def many(count: int) -> settings:
    """Other examples in each run."""
    return settings(few(count), derandomize=False)
