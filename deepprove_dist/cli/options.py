"""Arguments and options that several commands share, each described once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from deepprove_dist.cli import sections
from deepprove_dist.protocol.parameters import (
    DEFAULT_SECURITY_BITS,
    LEAST_PROOFS,
    SECURITY_LEVELS,
    ProofObjective,
    Weights,
)

Function = TypeVar("Function", bound=Callable[..., Any])

Decorator = Callable[[Function], Function]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
KEYS = click.Path(exists=True, path_type=Path)
"""A file or a folder: the library says which of them it takes, and where the other one is."""
NEW_PATH = click.Path(path_type=Path)


def file_option(name: str, text: str) -> Decorator[Any]:
    """A file that exists; `text` is its help."""
    return sections.option(name, type=FILE, metavar="FILE", help=text)


def count_option(name: str, text: str, default: int | None = None, metavar: str = "N") -> Decorator[Any]:
    """A positive whole number; `text` is its help, which shows a default."""
    return _number_option(name, click.IntRange(min=1), text, default, metavar)


def duration_option(
    name: str, text: str, default: float | None = None, metavar: str = "SECONDS"
) -> Decorator[Any]:
    """A positive number, as a time is; `text` is its help, which shows a default."""
    return _number_option(name, click.FloatRange(min=0, min_open=True), text, default, metavar)


def _number_option(
    name: str, kind: click.ParamType[Any], text: str, default: float | None, metavar: str
) -> Decorator[Any]:
    shown = default is not None
    return sections.option(name, type=kind, default=default, show_default=shown, metavar=metavar, help=text)


json_option = sections.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and nothing else."
)
threads_option = count_option("--threads", "Threads of this process. Default: one for each core.")
calibration_option = sections.option(
    "--calibration",
    type=FILE,
    metavar="SAMPLES",
    help="Samples (.json, .npz or .npy) that set the range of every tensor. A quantised model that states "
    "all ranges needs none.",
)
calibration_method_option = sections.option(
    "--calibration-method",
    type=click.Choice(["auto", "max", "margin", "percentile", "mse"]),
    default="auto",
    show_default=True,
    help="How samples set ranges: by their extremes, with a margin, by a percentile, or by least squares. "
    "'auto' takes the best.",
)
score_option = sections.option(
    "--score",
    type=FILE,
    metavar="SAMPLES",
    help="Other samples, to compare the two models on. They may have labels or targets. Of sequences of "
    "tokens, the report has perplexity, or the share of right next tokens.",
)
accept_error_option = sections.option(
    "--accept-error",
    is_flag=True,
    help="Make keys even if outputs are off by more than 20 % of their spread.",
)
input_option = sections.option(
    "--input",
    "samples",
    type=FILE,
    required=True,
    metavar="SAMPLES",
    help="The file with the input (.json, .npz or .npy).",
)
clamp_option = sections.option(
    "--clamp",
    is_flag=True,
    help="Move values outside the calibrated range to its end, instead of ending with an error.",
)


class ByteSize(click.ParamType[int]):
    """A number of bytes with a unit of 1000 or 1024: "20GB", "1.5 GiB"."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes that a text says."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no size in bytes; 20GB is one", param, ctx)
        number, prefix, binary = match.groups()
        return int(float(number) * (1024 if binary else 1000) ** " kMGT".index(prefix or " "))


memory_option = sections.option(
    "--memory",
    type=ByteSize(),
    metavar="SIZE",
    help="The most memory that a proof may take: 20GB. Default: 80 % of what the machine has. Less memory "
    "makes longer proofs. Keys of a large model depend on it.",
)


class SampleRange(click.ParamType[range]):
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


class InputShape(click.ParamType[tuple[str, tuple[int, ...]]]):
    """The shape of an input: "x=1,3,64,64"; "x=" for one without axes."""

    name = "NAME=SIZES"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[int, ...]]:
        """Name and sizes that a text says."""
        if isinstance(value, tuple):
            return value
        name, equals, sizes = str(value).rpartition("=")
        parts = [part.strip() for part in sizes.split(",")] if sizes else []
        if not equals or not name or not all(part.isdecimal() for part in parts):
            self.fail(f"{value!r} is not an input's name, '=', and its sizes with commas", param, ctx)
        return name, tuple(map(int, parts))


def _mapping(
    ctx: click.Context, param: click.Parameter, value: tuple[tuple[str, tuple[int, ...]], ...]
) -> dict[str, tuple[int, ...]]:
    return dict(value)


context_option = sections.option(
    "--context", default="", metavar="TEXT", help="Text that the proof is bound to; a nonce, for example."
)
proof_option = sections.option(
    "-o", "--output", type=NEW_PATH, required=True, metavar="PROOF", help="File for the proof."
)

_outputs_option = sections.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="NAME",
    help="Prove up to this tensor of the file. May be given several times. Default: all of its outputs.",
)
_shapes_option = sections.option(
    "--shape",
    "shapes",
    type=InputShape(),
    multiple=True,
    callback=_mapping,
    metavar="NAME=SIZES",
    help="The shape of an input where the file leaves sizes open: x=1,3,64,64. May be given several times.",
)
_form_option = sections.option(
    "--output-form",
    default="all",
    show_default=True,
    metavar="FORM",
    help="What is proven of scores: all, or those of the last position. Or the indices of the largest ones "
    "along the last axis: argmax, or top-5. `generate` needs argmax.",
)
selection_options = sections.option_group("Part of the model", _outputs_option, _shapes_option, _form_option)
"""What is proven of a file; they arrive as `outputs`, `shapes` and `output_form`."""


def _activation_bits(_context: click.Context, _option: click.Parameter, value: str) -> int | str:
    return int(value) if value.isdigit() else value


index_option = sections.option(
    "--index",
    type=SampleRange(),
    default="0",
    show_default=True,
    help="Which sample of the file, counted from 0. 0:16 takes the first 16.",
)

model_options = sections.option_group(
    "Model and proofs",
    sections.option(
        "--activation-bits",
        type=click.Choice(["auto", "8", "9", "10", "11", "12"]),
        callback=_activation_bits,
        default="auto",
        show_default=True,
        help="Bits of an activation. Auto: as few of 8 to 12 as keep outputs close to the float model's.",
    ),
    sections.option(
        "--weights",
        type=click.Choice(get_args(Weights)),
        default="committed",
        show_default=True,
        help="Committed: the verifier needs no weights. Public: smaller proofs, checked with the weights.",
    ),
    sections.option(
        "--objective",
        type=click.Choice(get_args(ProofObjective)),
        default="default",
        show_default=True,
        help="What the proofs are tuned for: small proofs, fast proving, or a balance of both.",
    ),
    count_option("--max-batch", "The most samples that one proof may cover.", 1),
    sections.option(
        "--security",
        type=click.Choice(SECURITY_LEVELS),
        default=DEFAULT_SECURITY_BITS,
        show_default=True,
        help="Bits of security that all errors of the protocol together reach. With 128, proofs are about "
        "twice as long.",
    ),
    count_option(
        "--proofs",
        "How many proofs hiding keys allow at least, before they are rekeyed. The default costs little "
        "for the model's size. Not with --transparent, nor with public weights.",
    ),
    sections.option(
        "--transparent",
        is_flag=True,
        help="Proofs that hide nothing: shorter and faster, for public models and benchmarks.",
    ),
    sections.option(
        "--hide-input",
        "hide_inputs",
        multiple=True,
        metavar="NAME",
        help="Hide this input too: statements have a commitment to it. May be given several times.",
    ),
    sections.option(
        "--hide-output",
        "hide_outputs",
        multiple=True,
        metavar="NAME",
        help="Hide this output too: statements have a commitment to it. May be given several times.",
    ),
    count_option(
        "--commitment-proofs",
        "How many proofs may be about one commitment to a hidden input or output.",
        LEAST_PROOFS,
    ),
)
"""What decides about the keys of a model; they arrive as keyword arguments of `setup`."""
