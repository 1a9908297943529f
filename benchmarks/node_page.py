"""The page of the book that says what became of ONNX's own cases."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

MOST_WORDS, MOST_REASONS = 16, 3
_OF_THE_CASE = re.compile(r"^'[^']*': |, sample \d+, flat index \d+| \(\[?'.*?'\]?\)|: Node \(.*?\)")


class Outcome(str, Enum):
    """What became of a case."""

    PROVEN = "proven"
    REFUSED = "refused"
    WRONG = "wrong"
    FAILED = "failed"
    OUT_OF_SCOPE = "out of scope"


@dataclass(frozen=True)
class Result:
    """Of one case: `why` says what was refused, or how far an output is off.

    ``computed`` are the inputs that were no constants, ``inputs`` is how many it has.
    """

    name: str
    operator: str
    outcome: Outcome
    why: str = ""
    computed: tuple[str, ...] = ()
    inputs: int = 0


def page(results: Sequence[Result]) -> str:
    """The page: totals, a table of operators, and the cases that are out of scope."""
    return "\n".join((*_head(results), "", *_table(results), "", *_outside(results))) + "\n"


def _head(results: Sequence[Result]) -> Iterator[str]:
    total = Counter(result.outcome for result in results)
    wrong = total[Outcome.WRONG] + total[Outcome.FAILED]
    of_computed = sum(
        result.outcome is Outcome.PROVEN and len(result.computed) == result.inputs for result in results
    )
    tried = len(results) - total[Outcome.OUT_OF_SCOPE]
    yield "# ONNX's own cases"
    yield ""
    yield "The ONNX package has cases of single nodes, with inputs and outputs. Those in scope are set up,"
    yield "proven and verified here, and outputs are compared. The error of floats may be a twentieth of"
    yield "their spread, as roots of mean squares; integers are the same. Inputs are computed where that is"
    yield "supported. Else some are constants: those that say how a node computes, then all but"
    yield "one tensor of floats. Outputs that follow from shapes or constants are added to an input. A case"
    yield "whose outputs are off, as set-up warns, counts as refused."
    yield ""
    yield f"Of {tried} cases {total[Outcome.PROVEN]} are proven and right, {of_computed} of them without"
    yield f"constants. {total[Outcome.REFUSED]} are refused, and {wrong or 'none'} wrong."
    yield f"{total[Outcome.OUT_OF_SCOPE]} more are out of scope."
    yield "`python -m benchmarks.node_cases --output docs/node-cases.md` makes this page."


def _table(results: Sequence[Result]) -> Iterator[str]:
    by_operator: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.outcome is not Outcome.OUT_OF_SCOPE:
            by_operator[result.operator].append(result)
    yield "| operator | cases | proven | refused | why |"
    yield "| --- | --: | --: | --: | --- |"
    for operator in sorted(by_operator):
        items = by_operator[operator]
        count = Counter(item.outcome for item in items)
        others = [item for item in items if item.outcome is not Outcome.PROVEN]
        reasons = list(dict.fromkeys(_cell(item) for item in others))[:MOST_REASONS]
        yield (
            f"| {operator} | {len(items)} | {count[Outcome.PROVEN]} | {len(others)} | {' '.join(reasons)} |"
        )


def _cell(result: Result) -> str:
    """The first sentence of the reason, without names and numbers of its case, cut to MOST_WORDS."""
    plain = _OF_THE_CASE.sub("", result.why.partition(". ")[0])
    words = plain.replace("|", "or").replace("<", "").replace(">", "").split()
    text = " ".join(words[:MOST_WORDS]) + ("..." if len(words) > MOST_WORDS else ".")
    text = text[:1].upper() + text[1:]
    return text if result.outcome is Outcome.REFUSED else f"{result.outcome.value.capitalize()}. {text}"


def _outside(results: Sequence[Result]) -> Iterator[str]:
    reasons = Counter(result.why for result in results if result.outcome is Outcome.OUT_OF_SCOPE)
    yield "Out of scope are cases of what proofs are not for, or of types that the float graph has not:"
    yield ""
    yield "| cases | what they have |"
    yield "| --: | --- |"
    for reason, count in reasons.most_common():
        yield f"| {count} | {reason} |"
