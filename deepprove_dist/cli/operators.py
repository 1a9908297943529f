"""`deepprove-dist operators`: which ONNX operators are supported, and which nodes of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from deepprove_dist.cli import options
from deepprove_dist.cli.output import records_table, report
from deepprove_dist.importing.opset import readable_opsets
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.importing.support import supported_nodes, supported_operators

if TYPE_CHECKING:
    from rich.table import Table


@cloup.command("operators")
@cloup.argument("model", type=options.FILE, required=False, help="An ONNX file.")
@options.selection_options
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: Path | None,
    outputs: tuple[str, ...],
    shapes: dict[str, tuple[int, ...]],
    as_json: bool,
) -> None:
    """List the ONNX operators that are supported, or say which nodes of the ONNX file MODEL are.

    Of MODEL, each node is listed with the float operators that it becomes. Nodes that are computed in
    advance are left out. A node that is not supported is listed with the reason and with what to do. Exit
    status 1 if there is one.

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
    nodes = supported_nodes(model, ModelSelection.of(outputs, shapes))
    supported = all(node.supported for node in nodes)
    fields = {"supported": supported, "nodes": list(map(asdict, nodes))}
    report(fields, as_json=as_json, view=_nodes_view)
    ctx.exit(0 if supported else 1)


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
    yield records_table("", [_node_row(record) for record in fields["nodes"]])
    refused = [record for record in fields["nodes"] if not record["supported"]]
    for advice in dict.fromkeys(record["advice"] for record in refused if record["advice"]):
        names = ", ".join(f"'{record['node']}'" for record in refused if record["advice"] == advice)
        yield f"- {names}: {advice}"
    count = len(fields["nodes"])
    if refused:
        yield f"NOT supported: {len(refused)} of {count} parts of the model"
    else:
        yield f"All {count} nodes are supported."


def _node_row(record: Mapping[str, Any]) -> Mapping[str, str]:
    becomes = " + ".join(record["becomes"]) or "nothing: values stay as they are"
    return {
        "node": record["node"],
        "operator": record["operator"],
        "supported": "yes" if record["supported"] else "NO",
        "becomes, or reason": becomes if record["supported"] else record["reason"],
    }
