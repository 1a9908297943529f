"""What a model would cost to prove, before any key is made and without samples.

The model is quantised on random inputs, which settles every size. The numbers are those of the schedule that
a setup would choose, give or take the ranges that real samples have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepprove_dist.choices import require_choice
from deepprove_dist.hiding_cost import HidingCost, hiding_cost
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.importing.sources import ModelSource, import_source, require_source
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.memory import memory_limit
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.parameters import (
    DEFAULT_SECURITY_BITS,
    LEAST_PROOFS,
    PROCESS_BYTES,
    ProofObjective,
    Weights,
    estimated_milliseconds,
    proof_bytes,
    proving_bytes,
    require_security,
)
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.quantise.activation_bits import (
    AUTO,
    BITS_CHOICES,
    ActivationBits,
    starting_bits,
)
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.setup_options import Options, choose_schedule

RANDOM_SAMPLES = 8


@dataclass(frozen=True)
class Estimate:
    """What proving a model would cost.

    Attributes:
        parameters: weights and biases.
        witness_values: field elements that a proof commits to.
        lookups: fractions of the lookup argument.
        proof_bytes: bytes of a proof.
        proving_ms: milliseconds on two cores with AVX-512.
        memory_bytes: the most bytes that the process holds as it proves.
        security_bits: bits that all errors of the protocol together reach.
        hiding: how many proofs hiding keys allow, and what hiding costs; None for transparent keys.
    """

    parameters: int
    witness_values: int
    lookups: int
    proof_bytes: int
    proving_ms: float
    memory_bytes: int
    security_bits: float
    hiding: HidingCost | None


def estimate(
    model: ModelSource,
    *,
    outputs: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    output_form: str = "all",
    activation_bits: ActivationBits = AUTO,
    weights: Weights = "committed",
    objective: ProofObjective = "default",
    max_batch: int = 1,
    security: int = DEFAULT_SECURITY_BITS,
    transparent: bool = False,
    proofs: int | None = None,
    hide_inputs: Sequence[str] = (),
    hide_outputs: Sequence[str] = (),
    commitment_proofs: int = LEAST_PROOFS,
    memory: int | None = None,
) -> Estimate:
    """Estimates sizes, proof size, proving time and memory of a model. No samples are needed.

    Arguments and errors are those of `setup`. Without samples nothing asks for more than 8 activation bits.

    Example:
        >>> estimate("model.onnx").proof_bytes
    """
    require_choice("transparent", transparent, (False, True))
    hidden = HiddenNames.chosen(hide_inputs, hide_outputs)
    options = Options(
        weights, objective, max_batch, security, not transparent, proofs, hidden, commitment_proofs
    )
    options = replace(options, memory=memory_limit(memory))
    require_choice("activation_bits", activation_bits, BITS_CHOICES)
    require_source("estimate", model)
    imported = import_source(model, ModelSelection.of(outputs, shapes, output_form, hidden.outputs))
    system = lower_by_guess(imported, options, starting_bits(activation_bits)).system.for_batch(
        options.max_batch
    )
    weight_values, witness_values = system.values(Matrix.WEIGHTS), system.values(Matrix.WITNESS)
    shape, schedule = protocol_shape(system), choose_schedule(system, options)
    public = weight_values if weights == "public" else 0
    return Estimate(
        parameters=weight_values,
        witness_values=witness_values,
        lookups=shape.lookups.fractions,
        proof_bytes=proof_bytes(schedule, shape),
        proving_ms=estimated_milliseconds(schedule, shape, weight_values),
        memory_bytes=PROCESS_BYTES + proving_bytes(schedule.initial, shape.lookups.log_leaves, public),
        security_bits=require_security(schedule, shape),
        hiding=None if transparent else hiding_cost(system, schedule, options),
    )


def lower_by_guess(imported: ImportedModel, options: Options, activation_bits: int) -> Lowered:
    """The model lowered after quantisation on random inputs. Raises as `setup` does."""
    graph, random = imported.graph, np.random.default_rng(0)
    sizes = {name: (RANDOM_SAMPLES, *graph.shapes[name]) for name in graph.inputs}
    values = {
        # 0 and 1 are of any type, and index any table.
        name: random.integers(0, 2, size).astype(float) if name in graph.wholes else random.normal(size=size)
        for name, size in sizes.items()
    }
    statistics = calibrate(FloatModel(imported), Samples(values))
    hidden = options.hides_weights
    quantised = quantise(graph, statistics, activation_bits, rounded=hidden)
    return lower(quantised.model, rounded=hidden, hidden=options.hidden)
