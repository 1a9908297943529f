"""Keys on disk: a folder with the integer model, the verifying key, and what a hiding key has beside them.

| file | what it is |
| --- | --- |
| `model.integer` | the integer model; as secret as the weights |
| `proving.secret` | what all random values follow from, of mode 600 |
| `proofs.counter` | proofs that were made; `proofs.lock` is locked while it changes |
| `epochs/` | certificates of later epochs, which verifiers may see |
| `verifying.key` | all that a verifier needs |

A transparent key has neither secret nor counter.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deepprove_dist.atomic import write_atomically
from deepprove_dist.choices import require_count
from deepprove_dist.cpu import default_threads
from deepprove_dist.epochs import EPOCHS, certificate_path, current_epoch, read_chain
from deepprove_dist.errors import BudgetError, FormatError, InputError, SecretError
from deepprove_dist.formats import read_format
from deepprove_dist.kernels import Pool
from deepprove_dist.key_budget import KeyBudget, saved_already
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.prover import Prover
from deepprove_dist.randomness.counter import COUNTER_FILE
from deepprove_dist.randomness.secret import SECRET_FILE, Secret
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


def save_keys(prover: Prover, directory: str | Path, budget: KeyBudget | None = None) -> None:
    """Writes the files of a prover's keys; a hiding one's `budget` counts there from now on.

    Raises:
        OSError: where the folder cannot be written to; nothing of hiding keys is left in it then.
        SecretError: where the folder holds another set-up.
        BudgetError: where hiding keys are saved in another folder already.
    """
    folder = Path(directory)
    if prover.secret is None:
        require_room(folder, hiding=False)
        write_atomically(folder / INTEGER_MODEL, model_file.dump(prover.model))
        # Last, so that a folder with a verifying key is complete.
        write_atomically(folder / VERIFYING_KEY, key_file.dump(prover.verifying))
        return
    if budget is None:
        raise BudgetError("hiding keys are saved with the budget that counts their proofs")
    if budget.folder is not None:
        if budget.folder.resolve() == folder.resolve():
            return
        raise saved_already(budget.folder, folder)
    require_room(folder, hiding=True)
    write_atomically(folder / INTEGER_MODEL, model_file.dump(prover.model))
    prover.secret.save(folder / SECRET_FILE)
    try:
        for certificate in prover.certificates:
            number = certificate_file.load(certificate).statement.new.number
            write_atomically(certificate_path(folder, number), certificate)
        with budget.saved_in(folder):
            write_atomically(folder / VERIFYING_KEY, key_file.dump(prover.verifying))
    except BaseException:
        # The keys in memory go on counting there.
        for name in (VERIFYING_KEY, COUNTER_FILE, SECRET_FILE):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / EPOCHS, ignore_errors=True)
        raise


def require_room(directory: str | Path, *, hiding: bool) -> None:
    """Requires a folder that has no set-up whose secret or counter new keys would take the place of.

    Raises SecretError, naming what is there.
    """
    folder = Path(directory)
    names = (SECRET_FILE, COUNTER_FILE, EPOCHS, *((VERIFYING_KEY,) if hiding else ()))
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        raise SecretError(
            f"{folder} holds another set-up: it has {' and '.join(there)}. "
            "Give a new folder, or remove that set-up first"
        )


def load_secret(folder: Path, verifying: KeyContent) -> Secret | None:
    """The secret in a folder of hiding keys; None for transparent ones.

    Raises:
        SecretError: where it is missing, or others may use it.
        OSError, FormatError: where it cannot be read.
    """
    if not verifying.schedule.initial.hiding:
        return None
    try:
        return Secret.load(folder / SECRET_FILE)
    except FileNotFoundError:
        raise SecretError(
            f"{folder} has no {SECRET_FILE}. Its keys hide what they prove, and prove with their secret only"
        ) from None


def load_budget(folder: Path, verifying: KeyContent) -> KeyBudget | None:
    """The budget that a folder of hiding keys counts; None for transparent ones.

    Raises as `KeyBudget.of_folder` does, and SecretError where the folder has no secret.
    """
    initial = verifying.schedule.initial
    if not initial.hiding:
        return None
    if not os.path.lexists(folder / SECRET_FILE):
        load_secret(folder, verifying)
    return KeyBudget.of_folder(folder, initial.proofs, current_epoch(folder))


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
    directory: str | Path,
    threads: int | None = None,
    group: WorkerGroup | None = None,
    verifying: KeyContent | None = None,
) -> Prover:
    """The prover of the keys in a folder, ready to prove many times, by `group` if given.

    `verifying` is the content of the folder's verifying key, if it has been read.

    Raises InputError for missing files, FormatError for files that are no keys or do not belong together.
    Raises SecretError for a secret that is missing, or that others may use.
    """
    require_threads(threads)
    folder = require_keys(directory)
    verifying = verifying or load_verifying_key(folder / VERIFYING_KEY)
    secret = load_secret(folder, verifying)
    certificates = () if verifying.anchor is None else read_chain(folder, current_epoch(folder))
    model = load_integer_model(folder / INTEGER_MODEL)
    try:
        if group is not None:
            from deepprove_dist.execution.cluster_backend import load_cluster_prover

            return load_cluster_prover(
                model,
                folder / INTEGER_MODEL,
                verifying,
                group,
                make_pool(threads),
                secret=secret,
                certificates=certificates,
            )
        return Prover.load(model, verifying, make_pool(threads), secret, certificates)
    except FormatError as error:
        raise FormatError(f"{folder}: {error}") from error
