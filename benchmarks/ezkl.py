"""Runs of EZKL: settings, calibration, circuit, reference string, keys; then witness, proof, check a sample.

Each step is a process with a limit of time and memory. A step that fails or is ended leaves rows that say so.
The reference string is made here ("gen_srs"), insecure but of the right size: the real one needs the network.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.answers import is_right
from benchmarks.ezkl_process import StepFailed, StepResult, run_step
from benchmarks.models import Model
from benchmarks.rows import Row
from benchmarks.settings import EzklSettings
from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import MissingPackageError
from deepprove_dist.samples import Samples

KILOBYTE = 1 << 10
MOST_LOG_ROWS = 24
CALIBRATION_SAMPLES = 30
PACKAGE = "ezkl>=23,<24"


def require_ezkl() -> None:
    """Raises MissingPackageError, with how to install it, where EZKL is not found."""
    if find_spec("ezkl") is None:
        raise MissingPackageError(
            f"--run-ezkl: EZKL is not installed: {sys.executable} -m pip install '{PACKAGE}'"
        )


def ezkl_rows(model: Model, run: int, settings: EzklSettings, folder: Path) -> Iterator[Row]:
    """A row for each sample; files of all steps go to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    base = Row(model.name, run, 0, threads=default_threads(), workers=1, batch=1)
    circuit = Circuit(model, settings, folder)
    try:
        base = circuit.set_up(base)
    except StepFailed as error:
        for sample in range(len(model.scored)):
            yield replace(base, sample=sample, correct=False, verified=False, error=str(error))
        return
    for sample in range(len(model.scored)):
        row = replace(base, sample=sample)
        try:
            yield circuit.measure(row, model.scored.select(sample))
        except StepFailed as error:
            yield replace(row, correct=False, verified=False, error=str(error))


class Circuit:
    """The files of one network in EZKL's terms, made step by step."""

    def __init__(self, model: Model, settings: EzklSettings, folder: Path) -> None:
        self._model, self._settings, self._folder = model, settings, folder
        self._peak_mb = 0.0

    def set_up(self, base: Row) -> Row:
        """Everything that does not depend on the sample; the row gets its times and key sizes."""
        onnx, settings = str(self._model.file.absolute()), self._file("settings.json")
        run_args = {"check_mode": self._settings.check_mode}
        steps = [self._run("gen_settings", model=onnx, output=settings, py_run_args=run_args)]
        if self._settings.calibrate:
            calibration = self._write("calibration.json", self._model.calibration.first(CALIBRATION_SAMPLES))
            arguments = {"target": "resources", "max_logrows": MOST_LOG_ROWS}
            steps.append(
                self._run("calibrate_settings", data=calibration, model=onnx, settings=settings, **arguments)
            )
        circuit, srs = self._file("circuit.ezkl"), self._file("kzg.srs")
        steps.append(
            self._run("compile_circuit", model=onnx, compiled_circuit=circuit, settings_path=settings)
        )
        log_rows = json.loads(Path(settings).read_text())["run_args"]["logrows"]
        reference = self._run("gen_srs", srs_path=srs, logrows=log_rows)
        keys = {"vk_path": self._file("verifying.key"), "pk_path": self._file("proving.key")}
        setup = self._run("setup", model=circuit, srs_path=srs, **keys)
        return replace(
            base,
            setup_ms=setup.milliseconds,
            preparation_ms=sum(step.milliseconds for step in steps),
            srs_ms=reference.milliseconds,
            proving_key_kb=Path(keys["pk_path"]).stat().st_size / KILOBYTE,
            verifying_key_kb=Path(keys["vk_path"]).stat().st_size / KILOBYTE,
            peak_memory_mb=self._peak_mb,
        )

    def measure(self, row: Row, sample: Samples) -> Row:
        """Witness, proof and check of one sample."""
        circuit, srs = self._file("circuit.ezkl"), self._file("kzg.srs")
        witness, proof = self._file("witness.json"), self._file("proof.json")
        inference = self._run(
            "gen_witness", data=self._write("input.json", sample), model=circuit, output=witness
        )
        proving = self._run(
            "prove",
            witness=witness,
            model=circuit,
            pk_path=self._file("proving.key"),
            proof_path=proof,
            srs_path=srs,
        )
        verifying = self._run(
            "verify",
            proof_path=proof,
            settings_path=self._file("settings.json"),
            vk_path=self._file("verifying.key"),
            srs_path=srs,
        )
        content = json.loads(Path(proof).read_text())
        outputs = np.array(content["pretty_public_inputs"]["rescaled_outputs"][0], dtype=np.float64)
        valid = verifying.result is True
        return replace(
            row,
            inference_ms=inference.milliseconds,
            # As DeepProve's benchmark counts it: the witness, and proving without reading the key.
            proving_ms=inference.milliseconds + (proving.proof_ms or proving.milliseconds),
            ezkl_full_proving_ms=inference.milliseconds + proving.milliseconds,
            verifying_ms=verifying.milliseconds,
            correct=is_right(outputs, sample, 0) if valid else False,
            proof_kb=len(content["proof"]) / KILOBYTE,
            verified=valid,
            peak_memory_mb=self._peak_mb,
            error="" if valid else "verify: EZKL does not accept its proof",
        )

    def _run(self, function: str, **arguments: Any) -> StepResult:
        step = run_step(function, arguments, self._settings, self._folder)
        self._peak_mb = max(self._peak_mb, step.peak_mb)
        return step

    def _file(self, name: str) -> str:
        return str((self._folder / name).absolute())

    def _write(self, name: str, samples: Samples) -> str:
        """Samples in EZKL's form: for each input of the model one flat list of all samples' values."""
        flat = [values.reshape(-1).tolist() for values in samples.inputs.values()]
        (self._folder / name).write_text(json.dumps({"input_data": flat}))
        return self._file(name)
