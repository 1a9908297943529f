"""Operators run on the threads that a process was given, whatever BLAS would take."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from deepprove_dist.execution.phases.inference import accumulate
from deepprove_dist.execution.phases.layer_shares import LayerShare
from deepprove_dist.execution.phases.state import KeyState, WorkerState
from deepprove_dist.execution.workers.worker import ProcessContext
from deepprove_dist.model import operator_threads
from deepprove_dist.operators.conv import Conv
from deepprove_dist.operators.integer_operator import Inference, Parts
from deepprove_dist.operators.node import Attribute, Node


class Recorder(Conv):
    """A convolution that notes the threads that it runs on, and those of BLAS."""

    def __init__(self) -> None:
        self.blas, self.asked, self.ran_on = set[int](), list[int](), set[int]()

    def note(self) -> None:
        self.ran_on.add(threading.get_ident())
        self.blas |= {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}

    def infer(self, node: Node, inputs: Any) -> Inference:
        self.note()
        return super().infer(node, inputs)

    def parts(self, node: Node, inputs: Any, threads: int) -> Parts | None:
        self.asked.append(threads)
        return Parts(super().infer(node, inputs), [self.note] * 4)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_worker_computes_its_layers_on_its_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(operator_threads, "OPERATORS", {"conv": recorder})
    attributes: dict[str, Attribute] = {
        "strides": (1, 1),
        "pads": (0, 0, 0, 0),
        "dilations": (1, 1),
        "groups": 1,
    }
    node = Node("conv", "c", ("x", "weight"), "y", attributes)
    share = LayerShare(
        node,
        0,
        0,
        0,
        (0, 2),
        (np.ones((2, 3, 1, 1)),),
        np.ones((2, 3), dtype=np.int64),
    )
    state = WorkerState(ProcessContext(threads))
    state.key = KeyState(None, 0, (0,), layers={"y": share})  # type: ignore[arg-type]
    output = accumulate(state, "y", np.ones((1, 1, 3, 4, 4), dtype=np.int8))
    assert (output == 3).all()
    assert recorder.blas == {1}
    assert recorder.asked == ([] if threads == 1 else [threads])
    assert (threading.get_ident() in recorder.ran_on) == (threads == 1)
    assert len(recorder.ran_on) <= threads
