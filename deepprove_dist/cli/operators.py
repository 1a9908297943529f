"""`deepprove-dist operators`: which ONNX operators are supported, and which nodes of a model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.failures import with_flags
from deepprove_dist.cli.output import records_table, report
from deepprove_dist.errors import DeepProveError
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.importing.opset import readable_opsets
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.importing.support import examine, supported_operators
from deepprove_dist.node_costs import REST, node_costs
from deepprove_dist.setup_options import Options

if TYPE_CHECKING:
    from rich.table import Table


@sections.command("operators")
@click.argument("model", type=options.FILE, required=False, help="An ONNX file.")
@options.selection_options
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: Path | None,
    outputs: tuple[str, ...],
    shapes: dict[str, tuple[int, ...]],
    output_form: str,
    as_json: bool,
) -> None:
    """List the ONNX operators that are supported, or say which nodes of the ONNX file MODEL are.

    Of MODEL, each node is listed with the float operators that it becomes. Nodes that are computed in
    advance are left out. Where all are supported, each is listed with what it adds to a hiding proof of one
    sample: committed values, lookups, and milliseconds on two cores with AVX-512. What nodes share counts for
    the first of them. A node that is not supported is listed with the reason and with what to do. Exit status
    1 if there is one.

    \b
    Examples:
      deepprove-dist operators
      deepprove-dist operators model.onnx
    """
    if model is None:
        oldest, newest = readable_opsets()
        operators = list(map(asdict, supported_operators()))
        fields = {"oldest_opset": oldest, "newest_opset": newest, "operators": operators}
        report(fields, as_json=as_json, view=_operators_view)
        return
    nodes, imported = examine(model, ModelSelection.of(outputs, shapes, output_form))
    supported = imported is not None
    costs, why = ({}, "") if imported is None else _costs(imported)
    fields = {
        "supported": supported,
        "nodes": [{**asdict(node), "cost": costs.get(node.node)} for node in nodes],
        "others_cost": costs.get(REST),
        "total_cost": _sum(costs.values()) if costs else None,
        "why_no_cost": why,
    }
    report(fields, as_json=as_json, view=_nodes_view)
    ctx.exit(0 if supported else 1)


def _costs(imported: ImportedModel) -> tuple[dict[str, dict[str, Any]], str]:
    """What each node adds to a proof; or nothing, and why that is not known."""
    try:
        return {name: asdict(cost) for name, cost in node_costs(imported, Options(hiding=True)).items()}, ""
    except DeepProveError as error:
        return {}, str(error)


def _sum(costs: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: sum(cost[name] for cost in costs) for name in next(iter(costs))}


def _operators_view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    rows = [
        {
            "operator": record["operator"],
            "supported": record["supported"],
            "attributes": ", ".join(record["attributes"]),
            "types": ", ".join(record["types"]),
            "since opset": record["since"],
        }
        for record in fields["operators"]
    ]
    yield records_table("", rows)
    yield f"Models of opsets {fields['oldest_opset']} to {fields['newest_opset']} are read."
    yield "Operators on constants alone are computed in advance, whatever they are."


def _nodes_view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    rows = [_node_row(record, fields["total_cost"] is not None) for record in fields["nodes"]]
    if fields["total_cost"] is not None:
        beside = {"inputs, outputs, padding": fields["others_cost"], "sum": fields["total_cost"]}
        rows += [{**dict.fromkeys(rows[0], ""), "node": name, **_cost_row(c)} for name, c in beside.items()]
    yield records_table("", rows)
    refused = [record for record in fields["nodes"] if not record["supported"]]
    for advice in dict.fromkeys(record["advice"] for record in refused if record["advice"]):
        names = ", ".join(f"'{record['node']}'" for record in refused if record["advice"] == advice)
        yield f"- {names}: {with_flags(advice)}"
    count = len(fields["nodes"])
    if refused:
        yield f"NOT supported: {len(refused)} of {count} parts of the model"
        return
    yield f"All {count} nodes are supported."
    if fields["why_no_cost"]:
        yield f"Their cost is not known, since random inputs do not fit: {with_flags(fields['why_no_cost'])}"


def _node_row(record: Mapping[str, Any], with_costs: bool) -> dict[str, str]:
    becomes = " + ".join(record["becomes"]) or "nothing: values stay as they are"
    row = {
        "node": record["node"],
        "operator": record["operator"],
        "supported": "yes" if record["supported"] else "NO",
        "becomes, or reason": becomes if record["supported"] else record["reason"],
    }
    return {**row, **_cost_row(record["cost"])} if with_costs else row


def _cost_row(cost: Mapping[str, Any] | None) -> dict[str, str]:
    if cost is None:
        return dict.fromkeys(("weights", "values", "lookups", "ms"), "-")
    counts = {name: f"{cost[name]:,}" for name in ("weights", "values", "lookups")}
    return {**counts, "ms": f"{cost['proving_ms']:.2f}"}
