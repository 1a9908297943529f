"""Runs of an integer model that is judged: constants are prepared once, no output is computed twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property, partial

from deepprove_dist.ahead import in_order
from deepprove_dist.arrays import IntArray
from deepprove_dist.lowering.public_rows import PublicRows
from deepprove_dist.model.inference import IntegerRunner, parts_of
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.operator_threads import OperatorThreads
from deepprove_dist.model.rows_by_input import rows_for
from deepprove_dist.narrow_integers import Integers, narrow
from deepprove_dist.quantise.known_outputs import KnownOutputs


class IntegerRuns:
    """Those of one model, on parts of samples that are known by their integers."""

    def __init__(self, model: IntegerModel) -> None:
        self._model = model
        self._outputs = [tensor.name for tensor in model.outputs]
        self._known = KnownOutputs(self._outputs)

    def tensors(
        self, inputs: Mapping[str, IntArray], names: Collection[str], at_once: int = 1, threads: int = 0
    ) -> Iterator[Mapping[str, Integers]]:
        """What `IntegerRunner.tensors` gives, without a run where these are known outputs and inputs."""
        runner, parts = self._runner(names), parts_of(inputs, at_once)
        with OperatorThreads(1).single_blas():
            yield from in_order(partial(self._part, runner, names), parts, threads)

    def _part(
        self, runner: IntegerRunner, names: Collection[str], inputs: Mapping[str, IntArray]
    ) -> Mapping[str, Integers]:
        # Fewer bytes make a digest.
        key = {name: narrow(values) for name, values in inputs.items()}
        known = self._known.get(key, [name for name in names if name not in inputs])
        if known:
            return {**known, **{name: inputs[name] for name in names if name in inputs}}
        values = runner.part(inputs, names)
        self._known.add(key, values)
        return values

    def _runner(self, names: Collection[str]) -> IntegerRunner:
        """One that computes these tensors."""
        return self._whole if self._rows.unread.intersection(names) else self._selecting

    @cached_property
    def _selecting(self) -> IntegerRunner:
        """Of layers that select rows of their weights by a public input, the runner reads these rows only."""
        return IntegerRunner(self._model, rows=self._rows)

    @cached_property
    def _whole(self) -> IntegerRunner:
        return IntegerRunner(self._model)

    @cached_property
    def _rows(self) -> PublicRows:
        return rows_for(self._model, self._outputs)
