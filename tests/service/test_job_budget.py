from __future__ import annotations

from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.service.job_budget import JobBudget
from tests.service.conftest import Parts


def test_a_job_that_is_begun_again_has_its_number_again(parts: Parts) -> None:
    parts.submit("hiding")
    budget = KeyBudget(limit=5)
    job = parts.store.leases.claim("r", keys=("hiding",))
    assert job is not None
    first = JobBudget(parts.store, job, budget, 0).reserve()
    assert parts.store.get(job.id).reservation == first
    parts.store.leases.give_back(job)
    again = parts.store.leases.claim("r", keys=("hiding",))
    assert again is not None
    same = JobBudget(parts.store, again, budget, 0)
    assert same.reserve() == first
    assert same.remaining == 4


def test_a_number_of_an_older_epoch_is_worth_nothing(parts: Parts) -> None:
    parts.submit("hiding")
    job = parts.store.leases.claim("r", keys=("hiding",))
    assert job is not None
    old = JobBudget(parts.store, job, KeyBudget(limit=5), 0).reserve()
    new = JobBudget(parts.store, parts.store.get(job.id), KeyBudget(5, epoch=1), 1).reserve()
    assert (old.epoch, new.epoch) == (0, 1)
    assert parts.store.get(job.id).reservation == new


def test_other_jobs_have_other_numbers(parts: Parts) -> None:
    budget, numbers = KeyBudget(limit=5), set()
    for _ in range(2):
        parts.submit("hiding")
        job = parts.store.leases.claim("r", keys=("hiding",))
        assert job is not None
        numbers.add(JobBudget(parts.store, job, budget, 0).reserve().number)
    assert len(numbers) == 2
