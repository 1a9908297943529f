"""Writes the tables of figures into README and book: `python -m benchmarks.tables`.

Figures are kept in `results/*.csv`. A page says `<!-- table NAME -->` before a table, and after it
`<!-- end of table -->`. What is between them is written here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results")
PAGES = (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")
MARKED = re.compile(r"(?<=<!-- table )(\w+)( -->\n).*?(?=<!-- end of table -->\n)", re.DOTALL)

Record = dict[str, str]

LARGE_FIGURES = (
    *("network", "weights", "set-up (s)", "its memory (MB)", "first proof (s)", "proof (s)"),
    *("of it inference (s)", "verifying (ms)", "proof (KB)", "memory (MB)"),
)
LARGE_PHASES = (
    *("network", "witness", "commitment", "relations", "lookups", "opening", "cores busy"),
    *("ns a value", "ns a leaf", "ns a weight"),
)

PROVER_FIGURES = ("proving (ms)", "verifying (ms)", "proof (KB)")


def write_tables() -> None:
    """Writes all tables of all pages. Raises KeyError for a table that there is not."""
    for page in PAGES:
        page.write_text(with_tables(page.read_text()))


def with_tables(text: str) -> str:
    """A page's text with its tables as the figures are now."""
    return MARKED.sub(lambda match: match[1] + match[2] + TABLES[match[1]](), text)


def read(name: str) -> list[Record]:
    """The records of a file of results."""
    with (RESULTS / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def render(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; columns after the first are numbers and stand to the right."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def whole(name: str) -> Callable[[], str]:
    """A table of all columns of a file; where a column is a quantity, thousands are grouped."""

    def table() -> str:
        records = read(name)
        return render(list(records[0]), [[shown(value) for value in record.values()] for record in records])

    return table


def some(name: str, columns: Sequence[str]) -> Callable[[], str]:
    """The same of these columns alone."""

    def table() -> str:
        return render(columns, [[shown(record[column]) for column in columns] for record in read(name)])

    return table


def peers() -> str:
    """This prover beside others: proving, verifying and proof of each model that all were measured on."""
    ours = {record["model"]: record for record in read("proofs")}
    others = read("peers")
    systems = list(dict.fromkeys(record["system"] for record in others))
    rows = []
    for model in dict.fromkeys(record["model"] for record in others):
        theirs = {record["system"]: record for record in others if record["model"] == model}
        rows.append(
            [f"{model}, {ours[model]['weights']}", f"**{figures(ours[model])}**"]
            + [figures(theirs[system]) for system in systems]
        )
    return render(["model, weights", "deepprove-dist", *systems], rows)


def scaling() -> str:
    """For each network and number of machines: the time, and how much of each machine it uses."""
    records = read("cluster_scaling")
    machines = list(dict.fromkeys(record["machines"] for record in records))
    rows = []
    for model in dict.fromkeys(record["model"] for record in records):
        times = {r["machines"]: float(r["computed time (ms)"]) for r in records if r["model"] == model}
        alone = times["1"]
        shares = {count: alone / time / int(count) for count, time in times.items()}
        rows.append([model, *(f"{duration(times[count])}, {shares[count]:.0%}" for count in machines)])
    return render(["network", *(f"{count} machines" for count in machines)], rows)


def hiding() -> str:
    """What hiding costs: for each model and number of proofs asked for, against its transparent key."""
    transparent: Record = {}
    rows = []
    for record in read("hiding"):
        if record["proofs"] == "0":
            transparent = record
            continue
        ratios = [
            f"{float(record[name]) / float(transparent[name]):.2f}"
            for name in ("proving_ms", "proof_bytes", "setup_s", "memory_mb")
        ]
        more = float(record["verifying_ms"]) - float(transparent["verifying_ms"])
        verifying = f"{float(transparent['verifying_ms']):.1f} {more:+.1f}"
        rows.append([record["model"], record["proofs"], record["allowed"], *ratios, verifying])
    header = ["model", "N asked for", "N", "proving", "proof", "keys", "memory", "verifying (ms)"]
    return render(header, rows)


def figures(record: Record) -> str:
    """Proving, verifying and proof in one cell."""
    proving, verifying, proof = (record[name] for name in PROVER_FIGURES)
    if not proving:
        return "out of memory"
    parts = [duration(float(proving)), duration(float(verifying))]
    return ", ".join([*parts, size(float(proof))] if proof else parts)


def duration(milliseconds: float) -> str:
    """Milliseconds below one second, seconds above it."""
    return f"{milliseconds:g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2g} s"


def size(kilobytes: float) -> str:
    """KB below 1000, MB above."""
    return f"{kilobytes:g} KB" if kilobytes < 1000 else f"{kilobytes / 1000:.3g} MB"


def shown(value: str) -> str:
    """A cell as it is read."""
    return f"{int(value):,}" if value.isdecimal() and len(value) > 3 else value


TABLES: dict[str, Callable[[], str]] = {
    "accuracy": whole("accuracy"),
    "bench": whole("bench"),
    "cluster_limits": whole("cluster_limits"),
    "cluster_memory": whole("cluster_memory"),
    "cluster_scaling": scaling,
    "exported": whole("exported"),
    "hiding": hiding,
    "large": some("large", LARGE_FIGURES),
    "large_machine": whole("large_machine"),
    "large_phases": some("large", LARGE_PHASES),
    "load": whole("load"),
    "packages": whole("packages"),
    "peers": peers,
    "proofs": whole("proofs"),
    "service": whole("service"),
    "service_cores": whole("service_cores"),
    "start": whole("start"),
    "transformers": whole("transformers"),
    "transformers_hiding": whole("transformers_hiding"),
}

if __name__ == "__main__":
    write_tables()
