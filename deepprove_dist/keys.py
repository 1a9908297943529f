"""Keys on disk: a folder with the integer model and the verifying key.

Together they are the proving key. The verifying key alone is all that a verifier needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepprove_dist.atomic import write_atomically
from deepprove_dist.choices import require_count
from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import FormatError, InputError
from deepprove_dist.formats import read_format
from deepprove_dist.kernels import Pool
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key import key_file
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import load_verifying_key

if TYPE_CHECKING:
    from deepprove_dist.execution.group.worker_group import WorkerGroup

VERIFYING_KEY = "verifying.key"
INTEGER_MODEL = "model.integer"


MAX_THREADS = 1024


def require_threads(threads: int | None) -> None:
    """Requires a number of threads that a pool may have, or None. Raises ChoiceError."""
    if threads is not None:
        require_count("threads", threads, 1, MAX_THREADS)


def make_pool(threads: int | None) -> Pool:
    """A pool of that many threads, or of one for each core. Raises ChoiceError."""
    require_threads(threads)
    return Pool(threads or default_threads())


def save_keys(prover: Prover, directory: str | Path) -> None:
    """Writes the files of a prover's keys. Raises OSError where the folder cannot be written to."""
    folder = Path(directory)
    write_atomically(folder / INTEGER_MODEL, model_file.dump(prover.model))
    # Last, so that a folder with a verifying key is complete.
    write_atomically(folder / VERIFYING_KEY, key_file.dump(prover.verifying))


def require_keys(directory: str | Path) -> Path:
    """The folder, if it holds keys. Raises InputError, naming the folder and what is missing."""
    folder = Path(directory)
    if folder.is_file():
        form = read_format(folder)
        what = "a file" if form is None else form.words
        raise InputError(f"{folder} is {what}, which alone cannot prove; give the folder of the keys")
    missing = [name for name in (INTEGER_MODEL, VERIFYING_KEY) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} is no folder of keys: it has no {' and no '.join(missing)}; setup makes both"
        )
    return folder


def load_integer_model(path: str | Path) -> IntegerModel:
    """Reads and validates an integer model file. Raises OSError or InputError."""
    path = Path(path)
    try:
        return model_file.load(path.read_bytes())
    except InputError as error:
        raise FormatError(f"{path}: {error}") from error


def load_prover(
    directory: str | Path, threads: int | None = None, group: WorkerGroup | None = None
) -> Prover:
    """The prover of the keys in a folder, ready to prove many times, by `group` if given.

    Raises InputError for missing files, FormatError for files that are no keys or do not belong together.
    """
    require_threads(threads)
    folder = require_keys(directory)
    verifying = load_verifying_key(folder / VERIFYING_KEY)
    model = load_integer_model(folder / INTEGER_MODEL)
    try:
        if group is not None:
            from deepprove_dist.execution.cluster_backend import load_cluster_prover

            return load_cluster_prover(model, folder / INTEGER_MODEL, verifying, group, make_pool(threads))
        return Prover.load(model, verifying, make_pool(threads))
    except FormatError as error:
        raise FormatError(f"{folder}: {error}") from error
