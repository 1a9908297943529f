"""Float runs of the ONNX model with onnxruntime, with intermediate tensors exposed."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.samples import FloatArray, Samples


class FloatModel:
    """Runs the imported ONNX model on one sample at a time, so that a batch axis baked into a Reshape stays
    right.
    """

    def __init__(self, imported: ImportedModel) -> None:
        """Raises ModelError where onnxruntime refuses the model."""
        self._tensors = tuple(imported.graph.shapes)
        try:
            self._session = onnxruntime.InferenceSession(
                _exposing(imported), _options(), providers=["CPUExecutionProvider"]
            )
        # onnxruntime's own errors derive from Exception only.
        except Exception as error:
            raise ModelError(f"onnxruntime cannot run the model: {error}") from error
        self._inputs = {value.name: _numpy_type(value.type) for value in self._session.get_inputs()}
        self._outputs = [value.name for value in self._session.get_outputs()]

    def run(self, samples: Samples) -> Iterator[Mapping[str, FloatArray]]:
        """For each sample the values of every tensor of the float graph, by name, as float64."""
        for index in range(len(samples)):
            feeds = {name: samples.inputs[name][index].astype(kind) for name, kind in self._inputs.items()}
            results = dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))
            values = {**feeds, **results}
            yield {name: np.asarray(values[name], dtype=np.float64) for name in self._tensors}


def _exposing(imported: ImportedModel) -> bytes:
    """The ONNX file with the float graph's tensors as further outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(imported.onnx)
    known = {value.name for value in (*model.graph.input, *model.graph.output)}
    # onnxruntime infers types; an output needs a name only.
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in imported.graph.shapes if name not in known
    )
    data: bytes = model.SerializeToString()
    return data


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def _numpy_type(kind: str) -> npt.DTypeLike:
    types: dict[str, npt.DTypeLike] = {
        "tensor(float16)": np.float16,
        "tensor(float)": np.float32,
        "tensor(double)": np.float64,
    }
    return types[kind]
