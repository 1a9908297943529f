"""The works that times are measured with run, and are counted."""

from __future__ import annotations

from benchmarks.times import Works, least_milliseconds


def test_small_works_run() -> None:
    works = Works(threads=1)
    small = works.base_code(6, 2, 1), works.extension_code(6, 1), works.opening(4, 5), works.fraction_tree(8)
    for work in small:
        assert work.nanoseconds > 0
        assert least_milliseconds(work.run, 2) > 0
    assert works.opening(5, 5).nanoseconds == 2 * works.opening(4, 5).nanoseconds
