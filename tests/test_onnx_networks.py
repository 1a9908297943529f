"""Random small ONNX networks, from the file's graph to a verified proof of two inputs."""

from __future__ import annotations

import onnx
from hypothesis import HealthCheck, given, settings

from deepprove_dist.importing.load import import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.importing.random_networks import networks
from tests.quantise.test_networks import samples_of

POOL, SAMPLES = Pool(2), 2


@settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))
@given(source=networks())
def test_every_network_is_proven(source: onnx.ModelProto) -> None:
    imported = import_proto(source)
    samples = samples_of(imported, 3)
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    key = Prover.generate(model, Options(max_batch=SAMPLES), POOL)
    inputs = quantise_inputs(model, {name: values[:SAMPLES] for name, values in samples.inputs.items()})
    trace = key.runner.run(inputs)
    statement = verify(key.verifying, prove(key, trace, SAMPLES))
    for name, integers in trace.outputs.items():
        assert (statement.output_integers[name] == integers).all()
