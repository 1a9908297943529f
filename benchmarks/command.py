"""The command line of `bench.py`: DeepProve's options and defaults, and what this prover adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from benchmarks.affinity import restrict_to
from benchmarks.machine import total_memory
from benchmarks.parsed import Parsed
from benchmarks.run import run_benchmark
from benchmarks.settings import (
    CnnConfig,
    Config,
    EzklSettings,
    FileConfig,
    Settings,
    parse_configs,
    parse_parameters,
    parse_workers,
)
from benchmarks.summary import ZKML
from benchmarks.view import summary_tables
from deepprove_dist.cli.failures import OneLineErrors
from deepprove_dist.cli.options import FILE, NEW_PATH
from deepprove_dist.cli.output import report

if TYPE_CHECKING:
    from rich.table import Table

GIGABYTE = 1 << 30
MEMORY_SHARE = 0.8
"""Of the machine's memory, what EZKL may have: a machine that swaps or kills measures nothing."""

POSITIVE = click.IntRange(min=1)
POSITIVE_NUMBER = click.FloatRange(min=0, min_open=True)


CONFIGS = Parsed("dense,width:...", parse_configs)
PARAMETERS = Parsed("62k|264k|N", parse_parameters)
WORKERS = Parsed("1,2,4", parse_workers)


@click.command(
    "bench.py",
    cls=OneLineErrors,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True},
)
@click.option("--configs", type=CONFIGS, default="1,10", help="MLPs: dense,width pairs joined by colons.")
@click.option("--repeats", type=POSITIVE, default=3, help="Runs of each model, each in a new process.")
@click.option("--run-ezkl", is_flag=True, help="Measure EZKL on the same models and samples (slow).")
@click.option("--skip-ezkl-calibration", is_flag=True, help="Leave EZKL's settings uncalibrated.")
@click.option("--ezkl-check-mode", type=click.Choice(["safe", "unsafe"]), default="safe", help="Of EZKL.")
@click.option("--ezkl-time-limit", type=POSITIVE_NUMBER, default=1800.0, help="Seconds for a step of EZKL.")
@click.option(
    "--ezkl-memory-limit",
    type=POSITIVE_NUMBER,
    help=f"Gigabytes for EZKL; default: {MEMORY_SHARE:.0%} of the machine's memory.",
)
@click.option("--show-accuracy", is_flag=True, help="Show accuracies in the table, too.")
@click.option("--verbose", is_flag=True, help="Tell of every sample.")
@click.option("--output-dir", type=NEW_PATH, default="bench", help="Folder for the results.")
@click.option("--num-threads", type=POSITIVE, help="CPUs to use (affinity); default: all.")
@click.option("--samples", type=POSITIVE, default=30, help="Samples to prove in each run, at most.")
@click.option("--model-type", type=click.Choice(["mlp", "cnn"]), default="mlp", help="Kind of model.")
@click.option("--param-cnn", type=PARAMETERS, default="62k", help="Parameters of the CNN.")
@click.option("--skip-model-creation", is_flag=True, help="Use shipped models; needs no PyTorch.")
@click.option("--skip-proving", is_flag=True, help="Only quantise and infer: accuracy without proofs.")
@click.option("--workers", type=POSITIVE, default=1, help="Workers to prove on; above 1: over Ray.")
@click.option("--batch", type=POSITIVE, default=1, help="Samples in one proof.")
@click.option("--scaling", type=WORKERS, help="Compare these numbers of workers.")
@click.option("--model", type=FILE, metavar="ONNX", help="Your own model, in place of --configs.")
@click.option("--input", "samples_file", type=FILE, metavar="JSON", help="Samples of --model.")
@click.option("--deepprove-csv", type=FILE, multiple=True, help="A CSV file of DeepProve's own bench.")
@click.option("--debug", is_flag=True, help="Show the whole traceback of an error.")
def command(num_threads: int | None, output_dir: Path, debug: bool, **options: Any) -> None:
    """Measure set-up, inference, proving, verifying and proof sizes, and compare them.

    Writes CSV files, a summary, pictures and a description of the machine to --output-dir.

    \b
    Examples:
      python bench.py
      python bench.py --configs 5,100:7,50 --repeats 5
      python bench.py --model-type cnn --param-cnn 264k --skip-model-creation --samples 10
      python bench.py --configs 4,128 --run-ezkl --verbose
      python bench.py --num-threads 8 --configs 5,64 --samples 10
    """
    if options["run_ezkl"] and options["skip_proving"]:
        raise click.UsageError("--run-ezkl measures proofs, --skip-proving makes none")
    if num_threads is not None and (warning := restrict_to(num_threads)):
        click.echo(f"Warning: {warning}", err=True)
    settings = Settings(
        configs=_configs(**options),
        repeats=options["repeats"],
        samples=options["samples"],
        output=output_dir,
        ezkl=_ezkl(**options) if options["run_ezkl"] else None,
        create_models=not options["skip_model_creation"],
        prove=not options["skip_proving"],
        workers=options["workers"],
        batch=options["batch"],
        scaling=options["scaling"] or (),
        deepprove=options["deepprove_csv"],
        show_accuracy=options["show_accuracy"],
        verbose=options["verbose"],
    )
    summaries = run_benchmark(settings, click.echo)

    def view(_: Mapping[str, Any]) -> Iterator[str | Table]:
        yield from summary_tables(summaries, show_accuracy=settings.show_accuracy)
        yield f"All files are in {settings.output}"

    report({}, as_json=False, view=view)
    if any(summary.failed for summary in summaries if summary.system == ZKML):
        raise click.ClickException("samples failed; their rows say why")


def _configs(
    *,
    configs: tuple[Config, ...],
    model_type: Literal["mlp", "cnn"],
    param_cnn: int,
    model: Path | None,
    samples_file: Path | None,
    **_: Any,
) -> tuple[Config, ...]:
    if (model is None) != (samples_file is None):
        raise click.UsageError("--model and --input go together")
    if model is not None and samples_file is not None:
        return (FileConfig(model, samples_file),)
    return configs if model_type == "mlp" else (CnnConfig(param_cnn),)


def _ezkl(
    *,
    skip_ezkl_calibration: bool,
    ezkl_check_mode: Literal["safe", "unsafe"],
    ezkl_time_limit: float,
    ezkl_memory_limit: float | None,
    **_: Any,
) -> EzklSettings:
    total = total_memory()
    limit = None if total is None else int(MEMORY_SHARE * total)
    if ezkl_memory_limit is not None:
        limit = int(ezkl_memory_limit * GIGABYTE)
    return EzklSettings(not skip_ezkl_calibration, ezkl_check_mode, ezkl_time_limit, limit)
