"""Float runs of a model: of every tensor of its float graph, the value on a sample.

onnxruntime computes the tensors that the ONNX model names, so that the import is checked by a second
implementation. Where it lacks an operator, the reference evaluator of ONNX does. Tensors between the float
nodes of one ONNX node have no name there: their node computes them.
"""

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx

from deepprove_dist.ahead import in_order
from deepprove_dist.arrays import FloatArray, Reals
from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import ModelError, SamplesError
from deepprove_dist.importing.contradiction import one_line
from deepprove_dist.importing.expanding.sample_batches import alike, batch_of, open_batch
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.importing.rewriting.stored_constants import (
    refer_within_folder,
    with_all_data,
)
from deepprove_dist.importing.single_precision import in_single_precision
from deepprove_dist.narrow_integers import LARGE
from deepprove_dist.onnx_runtime import onnxruntime
from deepprove_dist.quantise.known_outputs import KnownOutputs
from deepprove_dist.quantise.reference_run import ReferenceSession
from deepprove_dist.samples import Samples

# onnxruntime's errors: "[ONNXRuntimeError] : 1 : FAIL : text", where the text names the node in several ways.
_CODE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
# Where in onnxruntime's files it failed: "file.cc:2421 function(arguments) text".
_PLACE = re.compile(
    r"(?:\[ONNXRuntimeError\] : \d+ : \w+ : )?\S+\.(?:cc|h|cpp|hpp):\d+ [^()\n]*\([^()\n]*\)(?: const)? "
)
# The same without arguments: "file.cc:703 Compute text".
_SHORT_PLACE = re.compile(r"^\S+\.(?:cc|h|cpp|hpp):\d+ (?:[A-Z]\w*|operator\(\)) (?=\S)")
_AT_RUN_TIME = re.compile(r"running (\w+) node\. Name:'(.*?)' Status Message: (?:/\S+ )?(.*)", re.DOTALL)
_UNSUPPORTED = "are not supported"
_LACKING = onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented

# onnxruntime's option, of 1.21 and later: where files of constants are.
_FOLDER = "session.model_external_initializers_file_folder_path"

_NO_IMPLEMENTATION = re.compile(r"implementation for (\w+)\(\d+\) node with name '(.*?)'")


VALUES_AHEAD = 2**25
"""Values of a sample's tensors from which on none is computed ahead."""


MOST_TRIED, LEAST_TRIED = 64, 16
"""How many samples a trial of a quantised model takes at most, and of a large model at least."""
LEAST_COMPARED = 8
"""On how many samples a large model's tensors are compared at least, and causes of errors looked for."""
VALUES_TRIED = 2**28
"""Values that a trial or a comparison touches on all of its samples, from which on these are fewer."""


@dataclass(frozen=True)
class _Wanted:
    """The tensors to give, ``tensors`` that they need, and the outputs of the session that have these."""

    names: Collection[str]
    tensors: Collection[str]
    outputs: Sequence[str]


class Session(Protocol):
    """What runs a model."""

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, with their names and types."""

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, with their names."""

    def run(
        self, output_names: Sequence[str], input_feed: Mapping[str, npt.NDArray[Any]]
    ) -> Sequence[npt.NDArray[Any]]:
        """The outputs by name."""


class FloatModel:
    """Runs the imported ONNX model, ``graph`` in floats.

    A run takes one sample, so that a batch axis baked into a Reshape stays right. It takes several where that
    is known to be the same (`batches`). ``elements``: the values of all tensors of the graph together.
    ``touched``: these and the file's constants.
    """

    def __init__(self, imported: ImportedModel, threads: int | None = None) -> None:
        """``threads`` may work on its runs and those beside them; one for each core by default.

        Raises ModelError where onnxruntime refuses the model.
        """
        self.graph = imported.graph
        self.elements = sum(map(prod, imported.graph.shapes.values()))
        weights = sum(prod(tensor.dims) for tensor in imported.onnx.graph.initializer)
        self.touched: int = self.elements + weights
        self._ends = {*imported.graph.inputs, *imported.graph.outputs.values()}
        self._known = KnownOutputs(imported.graph.outputs.values())
        self._imported = imported
        self._batch, self._is_checked = batch_of(imported.onnx, imported.graph), False
        self._threads = threads or default_threads()
        self._session: Session = self._start()
        self._inputs = {value.name: _numpy_type(value.type) for value in self._session.get_inputs()}
        self._outputs = [value.name for value in self._session.get_outputs()]

    def run(
        self, samples: Samples, names: Collection[str] | None = None
    ) -> Iterator[Mapping[str, FloatArray]]:
        """For each sample the values of tensors of the float graph, by name, as float64.

        These are those called ``names``, or all of them. Raises as `run_as_computed` does.
        """
        for values in self.run_as_computed(samples, names):
            yield {name: np.asarray(array, dtype=np.float64) for name, array in values.items()}

    def run_as_computed(
        self, samples: Samples, names: Collection[str] | None = None
    ) -> Iterator[Mapping[str, Reals]]:
        """The same, with large tensors between inputs and outputs in the precision of the run.

        Raises ModelError, naming the node, where onnxruntime fails or computes another shape than the ONNX
        standard says. Raises SamplesError for values that an input of integers cannot have.
        """
        self._require_whole(samples)
        wanted = self._needed(self.graph.shapes if names is None else names)
        size = sum(prod(self.graph.shapes[name]) for name in wanted.tensors)
        threads = min(1, self.threads_ahead) if size * self._batch <= VALUES_AHEAD else 0
        starts = range(0, len(samples), self._batch)
        for runs in in_order(partial(self._run_samples, samples, wanted, self._batch), starts, threads):
            waiting = deque(runs)
            # Nothing holds a sample's tensors while the next ones are computed, unless the caller does.
            del runs
            while waiting:
                yield waiting.popleft()

    @property
    def threads_ahead(self) -> int:
        """How many threads may compute ahead of the one that asks, which waits for them then."""
        return self._threads if self._threads > 1 else 0

    @property
    def most_tried(self) -> int:
        """How many samples a trial of a quantised model takes at most."""
        return min(MOST_TRIED, max(LEAST_TRIED, VALUES_TRIED // max(1, self.touched)))

    @property
    def most_compared(self) -> int:
        """On how many samples tensors inside of the model are compared at most, and causes looked for."""
        return max(LEAST_COMPARED, VALUES_TRIED // max(1, self.touched))

    def _run_samples(
        self, samples: Samples, wanted: "_Wanted", count: int, start: int
    ) -> Sequence[Mapping[str, Reals]]:
        """The values on some samples from ``start`` on."""
        feeds = [self._feeds(samples, index) for index in range(start, min(start + count, len(samples)))]
        known = [self._known.get(of_sample, wanted.names) for of_sample in feeds]
        if all(known):
            return known
        runs = self._run_together(feeds, wanted.outputs)
        results = []
        for of_sample, run in zip(feeds, runs, strict=True):
            values = self._with_intermediates({**of_sample, **run}, wanted)
            self._known.add(of_sample, values)
            results.append(values)
        return results

    def _feeds(self, samples: Samples, index: int) -> dict[str, npt.NDArray[Any]]:
        # A value beyond the type becomes infinite, which calibration refuses by name.
        with np.errstate(over="ignore"):
            return {
                name: np.asarray(samples.inputs[name][index], dtype=kind)
                for name, kind in self._inputs.items()
            }

    def _run_together(
        self, feeds: Sequence[Mapping[str, npt.NDArray[Any]]], outputs: Sequence[str]
    ) -> Sequence[Mapping[str, npt.NDArray[np.generic]]]:
        """The outputs of each sample, by one run where batches have been seen to be the same."""
        if len(feeds) == 1 or self._batch == 1:
            return [self._run(of_sample, outputs) for of_sample in feeds]
        together = {name: np.concatenate([of_sample[name] for of_sample in feeds]) for name in feeds[0]}
        results = self._run(together, outputs)
        runs = [
            {name: array[index : index + 1] for name, array in results.items()} for index in range(len(feeds))
        ]
        if not self._is_checked:
            if not alike(runs[-1], self._run(feeds[-1], outputs)):
                self._batch = 1
                return self._run_together(feeds, outputs)
            self._is_checked = True
        return runs

    def _needed(self, names: Collection[str]) -> "_Wanted":
        """What has to be known for the tensors called ``names``."""
        named = {tensor: name for name, tensor in self.graph.outputs.items() if name in self._outputs}
        named |= {name: name for name in self._outputs}
        tensors = set(names)
        for node in reversed(self.graph.nodes):
            if node.output in tensors and (node.completes or node.output not in named):
                tensors.update(node.inputs)
        return _Wanted(frozenset(names), tensors, [named[name] for name in tensors if name in named])

    def _require_whole(self, samples: Samples) -> None:
        for name, (lowest, highest) in self.graph.wholes.items():
            values = samples.inputs[name].reshape(len(samples), -1)
            wrong = (values != np.rint(values)) | (values < lowest) | (values > highest)
            if wrong.any():
                sample, index = np.argwhere(wrong)[0]
                raise SamplesError(
                    f"input '{name}' takes whole numbers from {lowest} to {highest}; sample {sample} has "
                    f"{values[sample, index]:g}"
                )

    def _with_intermediates(
        self, values: Mapping[str, npt.NDArray[np.generic]], wanted: "_Wanted"
    ) -> dict[str, Reals]:
        """The tensors of the graph that are wanted: ``values`` are those of the ONNX model, by name."""
        shapes = self.graph.shapes
        # Where nodes took the place of others, an output may be all that has a name for a tensor.
        named = {tensor: values[name] for name, tensor in self.graph.outputs.items() if name in values}
        values = {**named, **values}
        complete = {
            name: self._precise(name, values[name])
            for name in shapes
            if name in values and name in wanted.tensors
        }
        for name, array in complete.items():
            if array.shape != shapes[name]:
                raise ModelError(
                    f"onnxruntime computes '{name}' with the shape {array.shape}, the ONNX standard says "
                    f"{shapes[name]}"
                )
        for node in self.graph.nodes:
            known = complete.get(node.output)
            missing = known is None and node.output in wanted.tensors
            if missing or (known is not None and node.completes and not np.isfinite(known).all()):
                inputs = [np.asarray(complete[name], dtype=np.float64) for name in node.inputs]
                with np.errstate(all="ignore"):
                    complete[node.output] = node.evaluate(inputs)
        return {name: array for name, array in complete.items() if name in wanted.names}

    def _precise(self, name: str, values: npt.NDArray[np.generic]) -> Reals:
        """A tensor as float64, unless it is large and nobody but a measurement asks for it."""
        if values.dtype == np.float32 and values.size >= LARGE and name not in self._ends:
            return values.view(np.float32)
        return np.asarray(values, dtype=np.float64)

    def _run(
        self, feeds: Mapping[str, npt.NDArray[np.generic]], outputs: Sequence[str]
    ) -> dict[str, npt.NDArray[np.generic]]:
        try:
            results = self._session.run(outputs, feeds)
        except Exception:  # onnxruntime's own errors derive from Exception only.
            # Optimised models have nodes of other names: without, the error names one of the user's.
            self._session = self._start(optimised=False)
            try:
                results = self._session.run(outputs, feeds)
            except Exception as error:
                raise _refusal(error) from error
        return dict(zip(outputs, results, strict=True))

    def _start(self, *, optimised: bool = True) -> Session:
        options = onnxruntime.SessionOptions()
        # Nothing is logged: errors are raised too, and warnings are about speed.
        options.log_severity_level = 4
        # Threads that wait would take the cores that work on what was run before.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not optimised:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        model = _exposing(self._imported)
        if self._batch > 1:
            open_batch(model)
        try:
            try:
                return _session(_with_constants(model, options), options)
            except _LACKING:
                return _session(in_single_precision(with_all_data(model)), options)
        except Exception as error:
            if isinstance(error, _LACKING) or _UNSUPPORTED in str(error):
                return _reference(with_all_data(model), error)
            raise _refusal(error) from error


def _reference(model: onnx.ModelProto, error: Exception) -> Session:
    """The reference evaluator. Raises ModelError, with onnxruntime's reason, where it lacks something too."""
    try:
        return ReferenceSession(model)
    except Exception:
        raise _refusal(error) from error


def _with_constants(model: onnx.ModelProto, options: onnxruntime.SessionOptions) -> onnx.ModelProto:
    """The model as a session takes it, which maps the constants that are in files."""
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    folder = refer_within_folder(stored)
    if folder is not None:
        options.add_session_config_entry(_FOLDER, str(folder))
    return stored


def _session(model: onnx.ModelProto, options: onnxruntime.SessionOptions) -> Session:
    data = model.SerializeToString()
    session: Session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session


def _refusal(error: Exception) -> ModelError:
    """The error of onnxruntime as one sentence that names the node."""
    text = _PLACE.sub("", _CODE.sub("", str(error))).strip()
    if (missing := _NO_IMPLEMENTATION.search(text)) is not None:
        operator, name = missing.groups()
        return ModelError(f"onnxruntime has no {operator} for the types that '{name}' reads")
    if (failed := _AT_RUN_TIME.search(text)) is not None:
        operator, name, why = failed.groups()
        why = _SHORT_PLACE.sub("", why)
        return ModelError(f"onnxruntime cannot run {operator} '{name}': {one_line(why)}")
    return ModelError(f"onnxruntime cannot run the model: {one_line(text)}")


def _exposing(imported: ImportedModel) -> onnx.ModelProto:
    """The ONNX model with the float graph's tensors as further outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(imported.onnx)
    known = {value.name for value in (*model.graph.input, *model.graph.output)}
    computed = {name for node in model.graph.node for name in node.output}
    # onnxruntime infers types; an output needs a name only.
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in imported.graph.shapes if name in computed - known
    )
    return model


def _numpy_type(kind: str) -> npt.DTypeLike:
    """The type of arrays that onnxruntime takes for an input: "tensor(float)" is np.float32."""
    name = kind.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))
