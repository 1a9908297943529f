"""The models to measure: trained here by PyTorch, shipped with the checkout, or the user's own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.settings import CNN_SIZES, CnnConfig, Config, DenseConfig, FileConfig
from deepprove_dist.errors import DeepProveError, InputError, MissingPackageError
from deepprove_dist.importing.load import ImportedModel, import_model
from deepprove_dist.samples import Samples, read_samples

ASSETS = Path(__file__).parents[1] / "assets"
SCRIPTS = ASSETS / "scripts"
SHIPPED_CNNS = {CNN_SIZES["62k"]: "digits_lenet62k", CNN_SIZES["264k"]: "digits_cnn264k"}
CALIBRATION = "calibration.npz"


@dataclass(frozen=True)
class Model:
    """A network and its samples: `calibration` sets ranges, `scored` are proven and have labels, if any."""

    name: str
    file: Path
    imported: ImportedModel
    calibration: Samples
    scored: Samples


@dataclass(frozen=True)
class Files:
    """Where a model and its samples are, and what to tell about their origin."""

    model: Path
    calibration: Path
    samples: Path
    note: str


def find_model(config: Config, *, create: bool, samples: int, folder: Path) -> tuple[Model, str]:
    """The model of a configuration with at most so many samples to score, and where it comes from.

    `create` trains it with PyTorch into a subfolder of `folder`. Without PyTorch, and without `create`, a
    shipped model of that very configuration is used. Raises MissingPackageError where neither is to be had.
    """
    if isinstance(config, FileConfig):
        files = Files(config.model, config.model.with_name(CALIBRATION), config.input, "the model given")
    elif create and has_pytorch():
        files = _create(config, samples, folder / config.name)
    else:
        files = _shipped(config, create)
    return _read(config.name, files, samples), files.note


def has_pytorch() -> bool:
    """Whether models can be created."""
    return find_spec("torch") is not None and find_spec("sklearn") is not None


def _shipped(config: DenseConfig | CnnConfig, create: bool) -> Files:
    folder = _shipped_folder(config)
    needs = f"pip install -r {SCRIPTS / 'requirements.txt'}"
    if folder is None or not folder.is_dir():
        how = "" if create else ", without --skip-model-creation"
        raise MissingPackageError(
            f"no model of configuration {_words(config)} is shipped; PyTorch creates it{how} ({needs})"
        )
    note = f"the shipped model {folder.name}"
    if create:
        note += f" (PyTorch, which would create one, is not installed: {needs})"
    return Files(folder / "model.onnx", folder / CALIBRATION, folder / "test.npz", note)


def _shipped_folder(config: DenseConfig | CnnConfig) -> Path | None:
    if isinstance(config, DenseConfig):
        return ASSETS / "models" / f"iris_mlp_{config.name}"
    name = SHIPPED_CNNS.get(config.parameters)
    return ASSETS / "models" / name if name else None


def _create(config: DenseConfig | CnnConfig, samples: int, folder: Path) -> Files:
    if isinstance(config, DenseConfig):
        script, arguments = "mlp.py", ["--dense", config.dense, "--width", config.width]
    else:
        script, arguments = "cnn.py", ["--parameters", config.parameters]
    command = [sys.executable, SCRIPTS / script, folder, "--samples", samples, *arguments]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise DeepProveError(f"{script} could not create {_words(config)}:\n{run.stderr.strip()}")
    note = run.stdout.strip()
    return Files(folder / "model.onnx", folder / CALIBRATION, folder / "test.npz", note)


def _words(config: DenseConfig | CnnConfig) -> str:
    if isinstance(config, DenseConfig):
        return f"{config.dense},{config.width}"
    return f"CNN of {config.parameters:,} parameters"


def _read(name: str, files: Files, count: int) -> Model:
    imported = import_model(files.model)
    shapes = {tensor: imported.graph.shapes[tensor] for tensor in imported.graph.inputs}
    samples = read_samples(files.samples, shapes)
    if files.calibration.is_file():
        calibration, scored = read_samples(files.calibration, shapes), samples.first(count)
    elif len(samples) > count:
        # What is scored must not have set the ranges.
        calibration, scored = samples.select(range(count, len(samples))), samples.first(count)
    else:
        raise InputError(
            f"{files.samples}: all {len(samples)} samples would be scored, and none calibrate; "
            f"take fewer by --samples, or put calibration samples at {files.calibration}"
        )
    return Model(name, files.model, imported, calibration, scored)
