"""The program `deepprove-dist`: finds a command, and turns errors into one line and an exit status.

A command's module is imported when the command is run, never before. So `verify` starts without ONNX, Ray or
the prover.

The exit status is 0 when all is well. It is 1 when a proof is not valid, or the work failed. It is 2 for a
wrong command line, and for files that cannot be read, written or used.
"""

from __future__ import annotations

import importlib
import os

import click

from deepprove_dist.cli.failures import OneLineErrors
from deepprove_dist.cli.warnings import shown_warnings

SUMMARIES = {
    "setup": "Quantise an ONNX model and write its proving and verifying keys.",
    "infer": "Run a model's integer arithmetic on inputs, without a proof.",
    "prove": "Run a model on one input and prove the result.",
    "serve": "Serve proofs over HTTP, from keys that stay loaded.",
    "generate": "Continue a prompt of tokens, and prove the whole answer.",
    "verify": "Check a proof and print the output that it proves.",
    "reveal": "Open the commitment to a hidden input or output.",
    "bench": "Measure set-up, proving and verifying of a model.",
    "inspect": "Show what is in a model, key or proof file, and how secure it is.",
    "operators": "List supported ONNX operators, or check the nodes of a model.",
    "estimate": "Estimate memory, time and proof size before setting up.",
    "report": "Show where time went, from a trace that `prove --trace` wrote.",
    "rekey": "Make the next epoch of hiding keys: a new budget of proofs.",
    "adopt": "Let a folder of keys prove where it was moved or copied to.",
    "audit": "Compare keys with the model that they should be for.",
}


class CommandGroup(OneLineErrors, click.Group):
    """Commands that are imported when they are asked for, with this package's errors shown as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a user meets them."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The object `command` of the module named like the command; None for an unknown name."""
        if cmd_name not in SUMMARIES:
            return None
        command = importlib.import_module(f"deepprove_dist.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(
    cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--debug", is_flag=True, help="Show the whole traceback of an error.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines on standard error: for people, or a JSON object each, with the job's id.",
)
@click.option("--job-id", metavar="ID", help="The job's id in the log. Default: a random one.")
@click.version_option(package_name="deepprove-dist")
def main(debug: bool, log_format: str, job_id: str | None) -> None:
    """Prove that a committed neural network maps a given input to a given output.

    \b
    A first run:
      deepprove-dist setup model.onnx --calibration samples.npz -o keys
      deepprove-dist prove keys --input input.json -o proof
      deepprove-dist verify keys/verifying.key proof

    Every command takes --json, which prints one object on standard output and nothing else.

    \b
    Exit status:
      0  all is well
      1  a proof is not valid, keys are not those of a model, or the work failed
      2  the command line is wrong, or a file cannot be read, written or used
    """
    click.get_current_context().with_resource(shown_warnings(log_format, job_id or os.urandom(8).hex()))
