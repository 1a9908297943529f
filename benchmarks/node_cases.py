"""ONNX's own cases of single nodes, proven end to end: which are right, and which are refused, and why.

    python -m benchmarks.node_cases [--only TEXT] [--jobs 2] [--output docs/node-cases.md]

A case is a model with inputs and the outputs that they should have. Its samples are these inputs, and copies
of them with noise where they are floats. A case is right if its proof verifies and no output is off by more
than TOLERANCE of its spread. Inputs are computed where that is supported, else all but the first are
constants, and else all but the last.
"""

from __future__ import annotations

import multiprocessing
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import onnx
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.case.test_case import TestCase

import deepprove_dist as dp

SAMPLES = 16
NOISE = 0.02
TOLERANCE = 0.05
Arrays = dict[str, npt.NDArray[Any]]


class Outcome(str, Enum):
    """What became of a case."""

    PROVEN = "proven"
    REFUSED = "refused"
    WRONG = "wrong"
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """Of one case: `why` says what was refused, or how far an output is off."""

    name: str
    operator: str
    outcome: Outcome
    why: str = ""


def operator_of(case: TestCase) -> str:
    """The operator of a case; the one whose function was written out, where it has many nodes."""
    assert case.model is not None
    nodes = case.model.graph.node
    if len(nodes) == 1:
        return str(nodes[0].op_type)
    return f"{nodes[-1].op_type} (functions written out)" if case.name.endswith("_expanded") else "several"


def try_case(case: TestCase) -> Result:
    """Sets up, proves and verifies a case, with as many of its inputs computed as is supported."""
    operator, refused = operator_of(case), ""
    try:
        arguments, expected = arrays_of(case)
    except (TypeError, ValueError):
        return Result(case.name, operator, Outcome.REFUSED, "sequences, optional values or texts")
    names = list(arguments)
    for computed in dict.fromkeys((tuple(names), tuple(names[:1]), tuple(names[-1:]))):
        try:
            error = deviation(case, arguments, expected, computed)
        except dp.UnsupportedModelError as caught:
            refused = refused or caught.problems[0].reason
        except dp.DeepProveError as caught:
            refused = refused or str(caught).splitlines()[0]
        except Exception as caught:
            return Result(case.name, operator, Outcome.FAILED, f"{type(caught).__name__}: {caught}"[:200])
        else:
            outcome = Outcome.PROVEN if error <= TOLERANCE else Outcome.WRONG
            return Result(case.name, operator, outcome, f"{100 * error:.1f} % of the spread")
    return Result(case.name, operator, Outcome.REFUSED, refused)


def arrays_of(case: TestCase) -> tuple[Arrays, Arrays]:
    """Inputs and expected outputs by name. Raises TypeError or ValueError for what has no numbers."""
    assert case.model is not None
    ((inputs, outputs),) = case.data_sets or []
    graph = case.model.graph
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


def deviation(case: TestCase, arguments: Arrays, expected: Arrays, computed: Sequence[str]) -> float:
    """How far a proven output is off at most, over its spread."""
    source = onnx.ModelProto()
    source.CopyFrom(case.model)
    constants = [name for name in arguments if name not in computed]
    source.graph.initializer.extend(onnx.numpy_helper.from_array(arguments[name], name) for name in constants)
    kept = [value for value in source.graph.input if value.name in computed]
    del source.graph.input[:]
    source.graph.input.extend(kept)
    inputs = {name: arguments[name] for name in computed}
    keys = dp.setup(source, samples_of(inputs), transparent=True, threads=1)
    proof = keys.prove({item.name: inputs[item.name] for item in keys.verifying.inputs})
    statement = keys.verifying.verify(proof)
    return max((distance(value, expected[name]) for name, value in statement.output.items()), default=0.0)


def samples_of(inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """The inputs themselves, then with noise where they are floats."""
    rng = np.random.default_rng(0)
    samples: Arrays = {}
    for name, value in inputs.items():
        stacked = np.repeat(value[np.newaxis], SAMPLES, axis=0)
        if value.dtype.kind == "f":
            noise = NOISE * (float(value.std()) or 1.0) * rng.standard_normal(stacked.shape)
            noise[0] = 0
            stacked = (stacked + noise).astype(value.dtype)
        samples[name] = stacked
    return samples


def distance(value: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """The largest difference over the spread of the expected values."""
    expected = expected.astype(np.float64)
    if value.size != expected.size:
        return float("inf")
    spread = float(expected.std()) or float(np.abs(expected).max(initial=0)) or 1.0
    return float(np.abs(value.reshape(-1) - expected.reshape(-1)).max(initial=0) / spread)


def table(results: Sequence[Result]) -> str:
    """The page of the book."""
    by_operator: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_operator[result.operator].append(result)
    total = Counter(result.outcome for result in results)
    lines = [
        "# ONNX's own cases",
        "",
        "The ONNX package has cases of single nodes. They are proven here end to end, each with its inputs.",
        f"Of {len(results)} cases {total[Outcome.PROVEN]} are proven and right, "
        f"{total[Outcome.REFUSED]} are refused, and {total[Outcome.WRONG] + total[Outcome.FAILED]} wrong.",
        "`python -m benchmarks.node_cases` makes this page.",
        "",
        "| operator | cases | proven | refused | why the first of them is refused |",
        "| --- | --- | --- | --- | --- |",
    ]
    for operator in sorted(by_operator):
        items = by_operator[operator]
        count = Counter(item.outcome for item in items)
        why = next((item.why for item in items if item.outcome is not Outcome.PROVEN), "")
        cell = " ".join(why.replace("|", "or").replace("<", "(").replace(">", ")").split())
        lines.append(
            f"| {operator} | {len(items)} | {count[Outcome.PROVEN]} "
            f"| {len(items) - count[Outcome.PROVEN]} | {cell} |"
        )
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--only", default="", help="Cases whose name has this text.")
@click.option("--jobs", default=2, help="Processes.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the table is written.")
def main(only: str, jobs: int, output: Path | None) -> None:
    """Tries ONNX's own cases of nodes, and prints those that are not right."""
    warnings.simplefilter("ignore")
    cases = [case for case in collect_testcases(None) if only in case.name]
    results = []
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=50) as pool:
        for result in pool.imap(try_case, cases):
            results.append(result)
            if result.outcome is not Outcome.PROVEN:
                click.echo(f"{result.outcome.value:8} {result.name}: {result.why}")
    click.echo(str(dict(Counter(result.outcome.value for result in results))))
    if output is not None:
        output.write_text(table(results))


if __name__ == "__main__":
    main()
