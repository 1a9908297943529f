"""A line of JSON for each record, with its job."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

from deepprove_dist.job_logging import JsonFormatter, logging_job


def record(message: str = "worker %d is replaced", *arguments: object, **extra: object) -> logging.LogRecord:
    logger = logging.getLogger("deepprove_dist.test")
    return logger.makeRecord(
        logger.name, logging.WARNING, "file", 1, message, arguments or (1,), None, extra=extra
    )


def read(line: str) -> dict[str, Any]:
    assert "\n" not in line
    fields = json.loads(line)
    assert isinstance(fields, dict)
    return fields


def test_a_record_is_an_object_with_its_fields() -> None:
    fields = read(JsonFormatter("job 1").format(record(worker=1, reason="gone\nfor good")))
    assert fields.pop("time").endswith("+00:00")
    # Ray, once it is imported, adds fields of its kind to all records.
    assert (
        fields.items()
        >= {
            "level": "warning",
            "logger": "deepprove_dist.test",
            "job": "job 1",
            "message": "worker 1 is replaced",
            "worker": 1,
            "reason": "gone\nfor good",
        }.items()
    )


def test_an_exception_is_one_field() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        failed = record()
        failed.exc_info = (type(error), error, error.__traceback__)
    assert read(JsonFormatter().format(failed))["exception"].endswith("ValueError: no")


def test_records_belong_to_the_job_of_their_thread() -> None:
    formatter, jobs = JsonFormatter("process"), list[str]()

    def log() -> None:
        jobs.append(read(formatter.format(record()))["job"])

    with logging_job("outer"):
        with logging_job("inner"):
            log()
        log()
        thread = threading.Thread(target=log)
        thread.start()
        thread.join()
    log()
    assert jobs == ["inner", "outer", "process", "process"]
