"""ONNX's own cases of single nodes, proven end to end: which are right, and which are refused, and why.

    python -m benchmarks.node_cases [--only TEXT] [--jobs 2] [--output docs/node-cases.md]

A case is a model with inputs and the outputs that they should have. It is right if its proof verifies, and
its integers and truth values are these. The error of its floats is at most TOLERANCE of their spread, both as
roots of mean squares. Where it is more, set-up is asked for activations of 12 bits. Where set-up
warns of that, the case counts as refused.
All inputs are computed where that is supported; ``node_attempts`` says what is tried then. A model whose
outputs follow from shapes or constants gets one more input, which is added to its first output.
"""

from __future__ import annotations

import multiprocessing
import signal
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import click
import numpy as np
import numpy.typing as npt
import onnx
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.case.test_case import TestCase

import deepprove_dist as dp
from benchmarks.node_attempts import Arrays, choices_of_computed, samples_of
from benchmarks.node_page import Outcome, Result, page
from benchmarks.node_scope import out_of_scope

TOLERANCE = 0.05
BITS: tuple[Literal["auto", 12], ...] = ("auto", 12)
SECONDS = 120


def operators_of(cases: Sequence[TestCase]) -> dict[str, str]:
    """The operator of each case by its name; that of a function that is written out, too."""
    single = {case.name: nodes[0].op_type for case in cases if len(nodes := _model(case).graph.node) == 1}
    return {case.name: _operator(case.name, single) for case in cases}


def _operator(name: str, single: dict[str, str]) -> str:
    parent = name.partition("_expanded")[0]
    written_out = ", written out" if "_expanded" in name else ""
    return single[parent] + written_out if parent in single else single.get(name, "several")


def _parent(case: TestCase) -> onnx.ModelProto:
    """The model before its function was written out, which has the same inputs."""
    parent = case.name.partition("_expanded")[0]
    return next((_model(other) for other in all_cases() if other.name == parent), _model(case))


@cache
def all_cases() -> tuple[TestCase, ...]:
    """The package's cases."""
    return tuple(collect_testcases(None))


def _model(case: TestCase) -> onnx.ModelProto:
    assert case.model is not None, "the package's cases of nodes have models"
    return case.model


def try_case(item: tuple[TestCase, str]) -> Result:
    """Sets up, proves and verifies a case, with as many of its inputs computed as is supported."""
    case, operator = item
    if why := out_of_scope(_model(case), case.name, operator.partition(",")[0]):
        return Result(case.name, operator, Outcome.OUT_OF_SCOPE, why)
    try:
        arguments, expected = arrays_of(case)
    except (TypeError, ValueError):
        return Result(case.name, operator, Outcome.OUT_OF_SCOPE, "sequences or optional values")
    if any(value.size == 0 for value in (*expected.values(), *list(arguments.values())[:1])):
        return Result(case.name, operator, Outcome.OUT_OF_SCOPE, "tensors without elements")
    refused = list[str]()
    signal.signal(signal.SIGALRM, _stop)
    for computed in choices_of_computed(_parent(case), arguments):
        signal.alarm(SECONDS)
        try:
            error = deviation(_model(case), arguments, expected, computed)
        except (dp.DeepProveError, InexactError) as caught:
            refused.append(_reason(caught))
        except Exception as caught:
            return Result(case.name, operator, Outcome.FAILED, f"{type(caught).__name__}: {caught}"[:200])
        else:
            outcome = Outcome.PROVEN if error <= TOLERANCE else Outcome.WRONG
            return Result(
                case.name, operator, outcome, f"off by {100 * error:.1f} %", computed, len(arguments)
            )
        finally:
            signal.alarm(0)
    return Result(case.name, operator, Outcome.REFUSED, _best_reason(refused))


def _stop(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"longer than {SECONDS} seconds")


class InexactError(Exception):
    """An output is off, and set-up warned of it."""


def _reason(error: Exception) -> str:
    if isinstance(error, dp.UnsupportedModelError):
        return error.problems[0].reason
    return str(error).splitlines()[0].partition(", and no keys were made")[0]


def _best_reason(reasons: Sequence[str]) -> str:
    """The last one, of an attempt that did not only ask for more inputs to be constant, or for fewer."""
    informative = [why for why in reasons if not any(text in why for text in ("constant", "not supported"))]
    return (informative or reasons)[-1]


def arrays_of(case: TestCase) -> tuple[Arrays, Arrays]:
    """Inputs and expected outputs by name. Raises TypeError or ValueError for what has no numbers."""
    ((inputs, outputs),) = case.data_sets or []
    graph = _model(case).graph
    pairs = (
        zip((v.name for v in values), given, strict=True)
        for values, given in ((graph.input, inputs), (graph.output, outputs))
    )
    arguments, expected = ({name: array_of(value) for name, value in pair} for pair in pairs)
    return arguments, expected


def array_of(value: Any) -> npt.NDArray[Any]:
    """A tensor of numbers; of types that numpy has none of, cases hold tensors of ONNX."""
    if isinstance(value, list) or value is None:
        raise TypeError("no tensor")
    array = onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    if array.dtype.kind in "OUSc":
        raise TypeError("no numbers")
    return array


def deviation(model: onnx.ModelProto, arguments: Arrays, expected: Arrays, computed: Sequence[str]) -> float:
    """How far a proven output is off at most, over its spread; infinite for a wrong integer."""
    source = with_constants(model, arguments, computed)
    inputs = {name: arguments[name] for name in computed}
    try:
        return _proven(source, inputs, expected)
    except dp.DeepProveError as caught:
        if computed and "it is a constant" not in str(caught):
            raise
        first = next(iter(expected))
        probe = np.linspace(-1, 1, expected[first].size).reshape(expected[first].shape).astype(np.float32)
        wanted = {"probed": expected[first].astype(np.float64) + probe}
        return _proven(_probed(source, first, probe.shape), inputs | {"probe": probe}, wanted)


def with_constants(model: onnx.ModelProto, arguments: Arrays, computed: Sequence[str]) -> onnx.ModelProto:
    """The model with the values of all inputs that are not computed as constants."""
    source = onnx.ModelProto()
    source.CopyFrom(model)
    constants = [name for name in arguments if name not in computed]
    source.graph.initializer.extend(onnx.numpy_helper.from_array(arguments[name], name) for name in constants)
    kept = [value for value in source.graph.input if value.name in computed]
    del source.graph.input[:]
    source.graph.input.extend(kept)
    return source


def _proven(source: onnx.ModelProto, inputs: Arrays, expected: Arrays) -> float:
    error = float("inf")
    for bits in BITS:
        try:
            keys = dp.setup(source, samples_of(inputs), transparent=True, threads=1, activation_bits=bits)
        except dp.AccuracyError:
            if bits == BITS[-1]:
                raise
            continue
        proof = keys.prove({item.name: inputs[item.name] for item in keys.verifying.inputs})
        output = keys.verifying.verify(proof).output
        error = max((distance(value, expected[name], inputs) for name, value in output.items()), default=0.0)
        if error <= TOLERANCE:
            return error
    if warned := keys.report.warnings:
        raise InexactError(f"set-up warns: {warned[0].message}")
    return error


def _probed(source: onnx.ModelProto, first: str, shape: Sequence[int]) -> onnx.ModelProto:
    probed = onnx.ModelProto()
    probed.CopyFrom(source)
    kind = onnx.TensorProto.FLOAT
    probed.graph.node.append(onnx.helper.make_node("Cast", [first], ["as_float"], to=kind))
    probed.graph.node.append(onnx.helper.make_node("Add", ["as_float", "probe"], ["probed"]))
    probed.graph.input.append(onnx.helper.make_tensor_value_info("probe", kind, shape))
    del probed.graph.output[:]
    probed.graph.output.append(onnx.helper.make_tensor_value_info("probed", kind, shape))
    return probed


def distance(value: npt.NDArray[Any], expected: npt.NDArray[Any], inputs: Arrays) -> float:
    """The error over the spread of the expected values; of integers, 0 or infinity.

    Equal values have no spread: theirs is the largest value of them and of the inputs.
    """
    if value.size != expected.size:
        return float("inf")
    difference = np.abs(value.reshape(-1) - expected.reshape(-1).astype(np.float64))
    if expected.dtype.kind in "iub":
        return 0.0 if (difference < 0.5).all() else float("inf")
    expected = expected.astype(np.float64)
    largest = max(
        float(np.abs(array.astype(np.float64)).max(initial=0)) for array in (expected, *inputs.values())
    )
    spread = float(expected.std()) or largest or 1.0
    return float(np.sqrt(np.square(difference).mean())) / spread


@click.command()
@click.option("--only", default="", help="Cases whose name has one of these texts, with commas between them.")
@click.option("--jobs", default=2, help="Processes.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the table is written.")
def main(only: str, jobs: int, output: Path | None) -> None:
    """Tries ONNX's own cases of nodes, and prints those that are not right."""
    warnings.simplefilter("ignore")
    operators = operators_of(all_cases())
    cases = [case for case in all_cases() if any(text in case.name for text in only.split(","))]
    results = []
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=50) as pool:
        for result in pool.imap(try_case, [(case, operators[case.name]) for case in cases]):
            results.append(result)
            if result.outcome not in (Outcome.PROVEN, Outcome.OUT_OF_SCOPE):
                click.echo(f"{result.outcome.value:8} {result.name}: {result.why}")
    click.echo(str(dict(Counter(result.outcome.value for result in results))))
    if output is not None:
        output.write_text(page(results))


if __name__ == "__main__":
    main()
