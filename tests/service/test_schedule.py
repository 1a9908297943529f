from __future__ import annotations

from deepprove_dist.service.schedule import OVERTAKING_SECONDS, Waiting, next_job


def waiting(number: int, client: str = "a", key: str = "k", priority: int = 0, **more: float) -> Waiting:
    created = more.get("created", 0.0)
    return Waiting(str(number), number, client, key, priority, more.get("deadline"), created)


def chosen(*jobs: Waiting, loaded: tuple[str, ...] = (), now: float = 1.0, **used: float) -> str | None:
    job = next_job(jobs, used, loaded, now)
    return None if job is None else job.id


def test_nothing_waits() -> None:
    assert chosen() is None


def test_the_oldest_goes_first() -> None:
    assert chosen(waiting(2), waiting(1), waiting(3)) == "1"


def test_priority_goes_before_everything_else() -> None:
    assert chosen(waiting(1, deadline=5.0), waiting(2, client="b", priority=1), b=100.0) == "2"


def test_the_client_that_was_served_least_goes_first() -> None:
    assert chosen(waiting(1, "a"), waiting(2, "a"), waiting(3, "b"), a=2.0, b=1.0) == "3"
    assert chosen(waiting(1, "a"), waiting(2, "b"), a=1.0, b=2.0) == "1"


def test_the_earliest_deadline_of_a_client_goes_first() -> None:
    assert chosen(waiting(1), waiting(2, deadline=9.0), waiting(3, deadline=5.0)) == "3"


def test_a_loaded_key_overtakes_jobs_that_are_alike_for_a_while() -> None:
    jobs = waiting(1, key="cold"), waiting(2, key="warm"), waiting(3, key="warm")
    assert chosen(*jobs, loaded=("warm",)) == "2"
    assert chosen(*jobs, loaded=("cold", "warm")) == "1"
    assert chosen(*jobs, loaded=("warm",), now=OVERTAKING_SECONDS + 1) == "1"


def test_a_loaded_key_overtakes_neither_priority_nor_client_nor_deadline() -> None:
    first = waiting(1, key="cold", priority=1, deadline=5.0)
    for other in (
        waiting(2, key="warm", deadline=5.0),
        waiting(2, "b", key="warm", priority=1, deadline=5.0),
        waiting(2, key="warm", priority=1, deadline=6.0),
    ):
        assert chosen(first, other, loaded=("warm",), b=1.0) == "1"
