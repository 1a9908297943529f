"""What a verifier learns: everything that a key says, and what each of its proofs adds.

"What stays public" in docs/zero-knowledge.md has the argument that there is nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deepprove_dist.modes import Mode, hides, mode_of
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.parameters import proofs_revealing_weights
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Affine, LookupTable, Product, Relation, System, Term


@dataclass(frozen=True)
class PublicRange:
    """An input or output: its shape, its range of integers, and what they stand for."""

    tensor: str
    shape: tuple[int, ...]
    range: str
    scale: str


@dataclass(frozen=True)
class PublicShape:
    """A committed tensor: its name, its axes (the axis of samples is 0), and the matrix that holds it."""

    name: str
    shape: tuple[int, ...]
    matrix: str


@dataclass(frozen=True)
class PublicRelation:
    """A relation: its axes, its two sides, and the bounds of the witness's side.

    Bounds that follow from hidden weights are rounded outwards. Coefficients and constants are exact.
    """

    relation: str
    axes: tuple[int, ...]
    terms: str
    constants: str
    products: str
    bounds: str


@dataclass(frozen=True)
class PublicTable:
    """A table: its arguments, its linear pieces (start, value, slope), and what is looked up in it."""

    arguments: str
    pieces: str
    lookups: str


@dataclass(frozen=True)
class PublicArgMax:
    """An output that has the index of the largest score of each row, and the tensor that has the scores."""

    output: str
    scores: str


@dataclass(frozen=True)
class PublicCommitment:
    """What stands for the weights of an epoch: the root of their tree, and an out-of-domain answer."""

    epoch: int
    root: str
    answer: str


@dataclass(frozen=True)
class PublicList:
    """All that a verifier learns from a key and its proofs.

    Attributes:
        mode, hides: whether proofs hide anything, and what.
        proofs: how many an epoch allows; None where their number does not matter.
        samples_in_a_proof: the most.
        schedule: of the opening: rows, rates, queries, columns.
        model_digest: of the integer model; with weights that are hidden it is made with a salt.
        values, tensors, relations, tables, arg_maxima, commitments: what the key says, one by one.
        of_each_proof: what a proof adds to it.
        beyond: who learns more, and how.
    """

    mode: Mode
    hides: str
    proofs: int | None
    samples_in_a_proof: int
    schedule: str
    model_digest: str
    values: tuple[PublicRange, ...]
    tensors: tuple[PublicShape, ...]
    relations: tuple[PublicRelation, ...]
    tables: tuple[PublicTable, ...]
    arg_maxima: tuple[PublicArgMax, ...]
    commitments: tuple[PublicCommitment, ...]
    of_each_proof: tuple[str, ...]
    beyond: tuple[str, ...]


def public_list(key: KeyContent) -> PublicList:
    """What a verifier learns from a key and its proofs."""
    system, weights = key.system, key.weights
    return PublicList(
        mode=mode_of(key),
        hides=hides(key),
        proofs=key.schedule.initial.proofs,
        samples_in_a_proof=key.max_batch,
        schedule="; ".join(map(str, key.schedule.codes)),
        model_digest=key.model_digest.hex(),
        values=tuple(PublicRange(t.name, t.shape, f"[{t.lo}, {t.hi}]", str(t.scale)) for t in system.public),
        tensors=tuple(PublicShape(t.name, t.shape, t.matrix.value) for t in system.tensors),
        relations=tuple(_relation(system, relation) for relation in system.relations),
        tables=tuple(_table(system, number, table) for number, table in enumerate(system.tables)),
        arg_maxima=tuple(
            PublicArgMax(system.outputs[item.output].name, system.tensors[item.scores].name)
            for item in system.arg_maxima
        ),
        commitments=()
        if weights is None
        else (PublicCommitment(0, weights.root.hex(), bytes(weights.answer).hex()),),
        of_each_proof=tuple(_of_each_proof(key)),
        beyond=tuple(_beyond(key)),
    )


def _of_each_proof(key: KeyContent) -> Iterator[str]:
    hidden = [f"'{public.name}'" for public in key.system.hidden]
    if hidden:
        yield "the number of samples, and the context"
        yield f"the commitments to {', '.join(hidden)}, root and answer each, in the place of their integers"
        if len(hidden) < len(key.system.public):
            yield "all integers of other inputs and outputs"
    else:
        yield "the number of samples, all integers of inputs and outputs, and the context"
    if key.weights is not None and key.schedule.initial.hiding:
        yield "the epoch that it was made in, with the root and the answer of its weights"
    if not key.schedule.initial.hiding:
        yield "some rows of the code of each committed matrix, and evaluations of activations and weights"
    else:
        yield "nothing of hidden values: all else in a proof could be made without them"


def _beyond(key: KeyContent) -> Iterator[str]:
    revealing = proofs_revealing_weights(key.schedule.initial)
    if revealing is not None:
        yield f"who sees about {revealing} proofs can compute all weights"
    if key.weights is None:
        yield "weights are public: a verifier has the integer model"
    if key.system.hidden:
        yield "who has the opening of a commitment knows its integers, and can test guesses of them"
        yield "two proofs about one commitment show that their hidden values are the same"
    yield "workers of a cluster see weights and activations"
    yield "who reads the prover's secret, memory or integer model knows what proofs hide"
    yield "times and memory of a prover are not hidden from who can measure them"


def _relation(system: System, relation: Relation) -> PublicRelation:
    products = (_product(system, product) for product in relation.products)
    return PublicRelation(
        relation.name,
        relation.affine.space,
        _terms(system, relation.affine),
        ", ".join(str(constant.value) for constant in relation.affine.constants),
        " + ".join(products),
        f"[{relation.low}, {relation.high}]",
    )


def _terms(system: System, affine: Affine) -> str:
    return " + ".join(f"{term.coefficient} * {_followed(system, term)}" for term in affine.terms)


def _followed(system: System, term: Term) -> str:
    """A term's tensor, and the inputs whose integers select its elements."""
    inputs = [axis.input for axis in term.axes if isinstance(axis, IndexMap) and axis.input is not None]
    name = system.tensors[term.tensor].name
    return f"{name} at {', '.join(map(repr, inputs))}" if inputs else name


def _product(system: System, product: Product) -> str:
    factors = (
        " + ".join(
            filter(None, (_terms(system, factor.value), *(str(c.value) for c in factor.value.constants)))
        )
        for factor in (product.left, product.right)
    )
    return f"{product.coefficient} * sum over {list(product.contracted)} of " + " * ".join(
        f"({factor})" for factor in factors
    )


def _table(system: System, number: int, table: LookupTable) -> PublicTable:
    function = table.function
    pieces = () if function is None else function.pieces.rows()
    columns = (
        "(" + ", ".join(_terms(system, column) for column in lookup.columns) + ")"
        for lookup in system.lookups
        if lookup.table == number
    )
    return PublicTable(
        f"[{table.first}, {table.first + table.size - 1}]",
        "range" if function is None else " ".join(map(str, pieces)),
        " ".join(columns),
    )
