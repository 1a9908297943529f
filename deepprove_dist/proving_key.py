"""The proving key of a model as its owner holds it: it proves, and gives away the key that verifies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from deepprove_dist.arrays import FloatArray
from deepprove_dist.certificates import Certificate
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.epochs import rekey_folder
from deepprove_dist.errors import InputError, KindError
from deepprove_dist.generating import GenerationResult, generate
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.keys import (
    INTEGER_MODEL,
    VERIFYING_KEY,
    load_budget,
    load_integer_model,
    load_prover,
    load_secret,
    require_keys,
    save_keys,
)
from deepprove_dist.memory import memory_limit
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.openings import Opening
from deepprove_dist.protocol.parameters import require_memory
from deepprove_dist.prover import Prover, needed_memory
from deepprove_dist.proving import NO_OPENINGS, InferenceResult, Inputs, Progress, ProofResult, infer, prove
from deepprove_dist.randomness.budget import ProofBudget
from deepprove_dist.rekeying import rekey, require_epoch
from deepprove_dist.samples import read_samples
from deepprove_dist.verifier import load_verifying_key
from deepprove_dist.verifying_key import VerifyingKey

if TYPE_CHECKING:
    from deepprove_dist.execution.group.worker_group import WorkerGroup


@dataclass(frozen=True, repr=False)
class ProvingKey:
    """Proves what a model gives: `setup` makes it, `save` and `load` keep it in a folder.

    Attributes:
        prover: the model, and its weights, encoded and committed.
        budget: counts the proofs of hiding keys; None for transparent ones.
        memory: how many bytes a proof may take; None is 80 % of what the machine has.

    Example:
        >>> keys = ProvingKey.load("keys")
        >>> proof = keys.prove(x)
        >>> keys.verifying.verify(proof).output
    """

    prover: Prover
    budget: KeyBudget | None = field(default=None, kw_only=True)
    memory: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_kind("ProvingKey", self.prover, Prover, "a prover; use setup(...) or ProvingKey.load(folder)")
        if (self.prover.secret is None) != (self.budget is None):
            raise KindError("ProvingKey takes a budget for a prover that hides, and for no other")

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        threads: int | None = None,
        workers: WorkerGroup | None = None,
        memory: int | None = None,
    ) -> ProvingKey:
        """The proving key in a folder, ready to prove many times.

        Args:
            folder: where `save` wrote it.
            threads: of this process; one for each core by default.
            workers: a group of workers that take the weights and share the work. Without it this process
                does all of it.
            memory: how many bytes a proof may take; by default 80 % of what the machine has.

        Raises:
            MemoryLimitError: where a proof takes more, before anything is loaded.
            InputError: for a folder without keys.
            FormatError: for files that are no keys, or do not belong together.
            SecretError: where hiding keys have no secret, or others may read it.
            CopiedKeysError: where the folder of hiding keys was copied, or moved to another file system.
            BudgetError: where the counter of hiding keys is missing or damaged.
            ExecutionError: where workers fail and cannot be replaced.
        """
        path = require_path("ProvingKey.load", folder, "the folder that ProvingKey.save wrote")
        if workers is not None:
            from deepprove_dist.execution.group.worker_group import WorkerGroup

            require_kind("ProvingKey.load", workers, WorkerGroup, "a group of workers")
        # Before the weights are encoded: a copied folder proves nothing.
        verifying = load_verifying_key(require_keys(path) / VERIFYING_KEY)
        budget = load_budget(path, verifying)
        if workers is None:
            require_memory(needed_memory(verifying, 1, 0), memory_limit(memory))
        prover = load_prover(path, threads, workers, verifying)
        return ProvingKey(prover, budget=budget, memory=memory)

    def save(self, folder: str | Path) -> None:
        """Writes the keys into a folder, which holds no other set-up.

        Hiding keys count their proofs there from now on. They are saved in one folder only: two copies would
        spend one budget twice.

        Raises:
            OSError: where the folder cannot be written to.
            SecretError: where the folder holds another set-up.
            BudgetError: where hiding keys are saved in another folder already.
        """
        path = require_path("ProvingKey.save", folder, "a folder for the keys")
        save_keys(self.prover, path, self.budget)

    @staticmethod
    def remaining_in(folder: str | Path) -> int | None:
        """How many proofs the keys in a folder can still make, without loading them; see `remaining`."""
        path = require_keys(require_path("ProvingKey.remaining_in", folder, "the folder of the keys"))
        budget = load_budget(path, load_verifying_key(path / VERIFYING_KEY))
        return None if budget is None else budget.remaining

    @staticmethod
    def rekey_folder(folder: str | Path, *, threads: int | None = None) -> Certificate:
        """Makes the next epoch of hiding keys in a folder, and the certificate that leads verifiers to it.

        Its counter may be missing or damaged: a new epoch counts from zero. Raises as `load` and `rekey` do.
        Raises CopiedKeysError where the folder was copied: `adopt` it first, if no other copy is in use.
        """
        path = require_path("ProvingKey.rekey_folder", folder, "the folder that ProvingKey.save wrote")
        return Certificate(rekey_folder(path, load_prover(path, threads))[1])

    @staticmethod
    def adopt(folder: str | Path) -> None:
        """Lets hiding keys prove in the folder that they were moved or copied to.

        No other copy of the folder may prove any more: it would spend the same budget again.

        Raises:
            InputError: for a folder without keys, or without their secret.
            BudgetError: where the counter is missing or damaged.
        """
        path = require_keys(require_path("ProvingKey.adopt", folder, "the folder that was moved"))
        verifying = load_verifying_key(path / VERIFYING_KEY)
        if load_secret(path, verifying) is None:
            raise InputError(f"{path} has transparent keys: they prove anywhere, and count nothing")
        ProofBudget.adopt(path)

    @property
    def hiding(self) -> bool:
        """Whether proofs hide weights and activations."""
        return self.prover.secret is not None

    @property
    def remaining(self) -> int | None:
        """How many proofs the keys can still make; None where their number does not matter."""
        return None if self.budget is None else self.budget.remaining

    @cached_property
    def verifying(self) -> VerifyingKey:
        """What a verifier needs."""
        key = VerifyingKey(self.prover.verifying, self.prover.public_weights)
        for certificate in self.certificates:
            key.accept(certificate)
        return key

    @property
    def model(self) -> IntegerModel:
        """The integer model: what is proven."""
        return self.prover.model

    def prove(
        self,
        inputs: Inputs,
        *,
        context: bytes = b"",
        clamp: bool = False,
        progress: Progress | None = None,
        carry: bool = True,
        openings: Mapping[str, Opening] = NO_OPENINGS,
    ) -> ProofResult:
        """Runs the integer model on real inputs, and proves the result.

        The proof is verified before it is returned. Each call uses up one proof of hiding keys. Workers whose
        answers made a proof wrong are found and replaced, and it is made again.

        Args:
            inputs: an array for a model of one input, arrays by input name, or `Samples`. One sample has the
                input's shape, or is flat. Several samples, at most `max_batch`, have one more axis in front.
            context: what else the proof is bound to, a nonce for example; at most 64 KB.
            clamp: moves values outside the calibrated range to its end, instead of raising an error.
            progress: called as the work proceeds.
            carry: puts the certificates of a later epoch than the first into the proof, so that a verifier
                needs nothing else.
            openings: of commitments that hidden inputs or outputs are to have in the statement, by name. They
                come from `ProofResult.openings` of an earlier proof, or from `Opening.load(path)`. Other
                hidden tensors get a new commitment.

        Raises:
            InputRangeError: for a value outside the calibrated range.
            InputError: for shapes that do not fit, and a context that is too long.
            BudgetError: where hiding keys have no proof left. Rekeying makes the next epoch. Also where a
                commitment hides its values in no further proof.
            MemoryLimitError: for a proof that takes more memory than it may, before it is begun.
            ExecutionError: where workers fail and cannot be replaced.
        """
        return prove(
            self.prover,
            inputs,
            context=context,
            clamp=clamp,
            progress=progress,
            budget=self.budget,
            carry=carry,
            openings=openings,
            memory=self.memory,
        )

    def generate(
        self,
        prompt: Sequence[int],
        *,
        max_new_tokens: int = 32,
        stop_tokens: Collection[int] = (),
        padding: int = 0,
        context: bytes = b"",
        progress: Progress | None = None,
        carry: bool = True,
    ) -> GenerationResult:
        """Continues a prompt with the most likely tokens, and proves the whole answer in one proof.

        The keys are of a token model: `setup` with output_form="argmax", or of a model that ends in ArgMax.
        The integer model runs once for each new token, and once more for the proof. `VerifyingKey.verify`
        accepts the proof, and `VerifyingKey.verify_generation` says what was generated.

        Args:
            prompt: token ids.
            max_new_tokens: the answer has no more. It ends where the key has no further position.
            stop_tokens: the answer ends at the first of them, which it includes.
            padding: the token at all positions after the answer, which the proof states.
            context: what else the proof is bound to, a nonce for example; at most 64 KB.
            progress: called as the work proceeds.
            carry: as of `prove`.

        Raises:
            InputError: for keys of no token model, and a prompt without room for an answer. Also for tokens
                that are not in the vocabulary. The text says what to do.
            ModelError: for a model whose answers change with later tokens: it is not causal.
            BudgetError, ExecutionError: as `prove` does.
        """
        return generate(
            self.prover,
            prompt,
            max_new_tokens=max_new_tokens,
            stop_tokens=stop_tokens,
            padding=padding,
            context=context,
            progress=progress,
            budget=self.budget,
            carry=carry,
            memory=self.memory,
        )

    def rekey(self) -> tuple[ProvingKey, Certificate]:
        """The keys of the next epoch, with a new budget, and the certificate that leads verifiers to it.

        The verifying key stays the same. This takes a commitment of the weights, or two, and two openings.
        Keys that are saved are rekeyed in their folder. The keys of this epoch prove no more.

        Raises:
            BudgetError: where the keys were rekeyed before, here or by another process.
            InputError: for keys without epochs: transparent ones, and those of public weights.
            ExecutionError: for keys whose weights are with workers.
        """
        require_epoch(self.prover)
        assert self.budget is not None, "hidden weights have one"
        folder, limit = self.budget.folder, self.budget.limit
        if folder is None:
            prover, certificate = rekey(self.prover)
            self.budget.end()
            budget = KeyBudget(limit, self.budget.epoch + 1)
        else:
            prover, certificate = rekey_folder(folder, self.prover)
            self.budget.end()
            budget = KeyBudget.of_folder(folder, limit, self.budget.epoch + 1)
        return ProvingKey(prover, budget=budget, memory=self.memory), Certificate(certificate)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The chain that leads a verifier from the verifying key to the epoch of these keys."""
        return tuple(map(Certificate, self.prover.certificates))

    def infer(self, inputs: Inputs, *, clamp: bool = False) -> InferenceResult:
        """Runs the integer model on real inputs, without a proof. Inputs and errors are those of `prove`."""
        return infer(self.model, inputs, clamp=clamp)

    def read_inputs(self, path: str | Path, index: int | range = 0) -> dict[str, FloatArray]:
        """Samples of a file (.json, .npz or .npy): real values [samples, *shape] by input name.

        `index` counts samples from 0; a range takes several. Raises SamplesError.
        """
        path = require_path("ProvingKey.read_inputs", path, "a file of samples")
        return read_inputs(self.model, path, index)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, {self.verifying!r})"


def read_inputs(model: IntegerModel, path: Path, index: int | range = 0) -> dict[str, FloatArray]:
    """Samples of a file for a model's inputs, as `ProvingKey.read_inputs` gives them."""
    shapes = {tensor.name: tensor.shape for tensor in model.inputs}
    return dict(read_samples(path, shapes).select(index).inputs)


def load_model(folder: Path) -> IntegerModel:
    """The integer model in a folder of keys, which infers without the keys. Raises InputError."""
    return load_integer_model(require_keys(folder) / INTEGER_MODEL)
