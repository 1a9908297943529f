"""The simulator for certificates: two tables of weights that are uniform, and have nothing in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepprove_dist.canonical import replace
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.argument.shared import (
    absorb_answer,
    absorb_mask,
    absorb_root,
    combine_claims,
)
from deepprove_dist.protocol.certificate.shared import CertifiedWeights, weights_samples
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages.certificate import (
    CertificateContent,
    CertificateStatement,
    start_transcript,
)
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import MaskProof, WitnessProof
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.mask import draw_mask
from deepprove_dist.protocol.parameters.certificate import _code
from tests.hiding.elements import uniform
from tests.hiding.programmed import Programmed, programmed
from tests.hiding.simulated_opening import simulate_opening
from tests.hiding.simulator import PLANNED
from tests.hiding.tables import Table


@dataclass(frozen=True)
class SimulatedCertificate:
    """A certificate, and what the oracle was programmed with, by label."""

    content: CertificateContent
    planned: dict[str, bytes]


def simulate_certificate(key: KeyContent, rng: np.random.Generator) -> SimulatedCertificate:
    """A certificate of an epoch of the key, of whose weights the simulator knows nothing."""
    schedule = replace(key.schedule, initial=_code(key.schedule.initial, key.schedule.initial.queries))
    code, certified = schedule.initial, CertifiedWeights.of(key)
    tables = [
        Table(rng.integers(0, MODULUS, (1 << code.log_length, code.weight_columns)), tree_shapes(code)[index])
        for index in range(2)
    ]
    old, new = (EpochWeights(n, table.root, uniform(rng, 1)[0]) for n, table in enumerate(tables))
    statement = CertificateStatement(key.digest, schedule, old, new, rng.bytes(32))
    planned = {label: rng.bytes(size) for label, size in PLANNED.items()}
    transcript: Any = Programmed(start_transcript(statement), planned)
    layout, answer, value = certified.lay_out(code), uniform(rng, 1)[0], uniform(rng, 1)[0]
    with programmed():
        z = absorb_root(transcript, bytes(32))
        sample = absorb_answer(transcript, z, answer)
        omega = draw_mask(code, transcript)
        claims = certified.claims(transcript)
        claims.insert(0, absorb_mask(transcript, value))
        samples = [sample, *weights_samples(key, statement)]
        batched = combine_claims(code, layout, claims, samples, omega, transcript)
        terms = batched.combined.terms(layout.cube_blocks)
        assert batched.random_rows is not None
        opened = simulate_opening(
            schedule, tables, terms, batched.combined.value, batched.random_rows, transcript, rng
        )
    mask = MaskProof(value, opened.sigma, opened.tail)
    content = CertificateContent(statement, WitnessProof(opened.root, answer), mask, opened.opening)
    return SimulatedCertificate(content, planned)
