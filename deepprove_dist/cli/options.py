"""Arguments and options that several commands share, each described once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from deepprove_dist.protocol.parameters import DEFAULT_SECURITY_BITS, SECURITY_LEVELS, Profile, Weights

Function = TypeVar("Function", bound=Callable[..., Any])

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_PATH = click.Path(path_type=Path)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and nothing else."
)
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), help="Threads to use; default: all cores."
)
calibration_option = click.option(
    "--calibration",
    type=FILE,
    required=True,
    metavar="SAMPLES",
    help="Samples (.json, .npz or .npy) that set the range of every tensor.",
)
calibration_method_option = click.option(
    "--calibration-method",
    type=click.Choice(["auto", "max", "percentile", "mse"]),
    default="auto",
    show_default=True,
    help="How samples set ranges: the extremes, a percentile, the least squared error, or the best of them.",
)

accept_error_option = click.option(
    "--accept-error",
    is_flag=True,
    help="Make keys even if outputs are off by more than 20 % of their spread.",
)


class Places(click.ParamType[range]):
    """A sample, "3", or several in a row, "0:16"."""

    name = "I|A:B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """The range that a text says."""
        if isinstance(value, range):
            return value
        first, colon, end = str(value).partition(":")
        if not first.isdecimal() or (colon and not end.isdecimal()):
            self.fail(f"{value!r} is neither a number nor two with a colon between them", param, ctx)
        return range(int(first), int(end) if colon else int(first) + 1)


index_option = click.option(
    "--index",
    type=Places(),
    default="0",
    show_default=True,
    help="Which sample of the input file, counted from 0, or which of them: 0:16 takes the first 16.",
)


def model_options(function: Function) -> Function:
    """The options that decide what keys a model gets; they arrive as keyword arguments of `api.setup`."""
    for option in reversed(
        (
            click.option(
                "--activation-bits",
                type=click.IntRange(8, 12),
                default=8,
                show_default=True,
                help="Bits of an activation; weights are as wide as the field then allows.",
            ),
            click.option(
                "--weights",
                type=click.Choice(get_args(Weights)),
                default="committed",
                show_default=True,
                help="Committed: the verifier needs none. Public: smaller proofs, checked with the weights.",
            ),
            click.option(
                "--profile",
                type=click.Choice(get_args(Profile)),
                default="default",
                show_default=True,
                help="What to favour: small proofs or fast proving.",
            ),
            click.option(
                "--max-batch",
                type=click.IntRange(min=1),
                default=1,
                show_default=True,
                help="The most inputs that one proof may cover.",
            ),
            click.option(
                "--security",
                type=click.Choice(SECURITY_LEVELS),
                default=DEFAULT_SECURITY_BITS,
                show_default=True,
                help="Bits of security that all errors of the protocol together reach; 128 makes proofs "
                "about twice as long.",
            ),
        )
    ):
        function = option(function)
    return function
