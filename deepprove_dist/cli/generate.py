"""`deepprove-dist generate`: continues a prompt, and writes one proof of the whole answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.hiding import mode_fields, mode_words, transparent_warning
from deepprove_dist.cli.output import milliseconds, pairs_table, report, size
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.cli.prove import auto_rekey_option, budget_pairs, rekey_if_spent, worker_tables
from deepprove_dist.cli.tokens import (
    load_tokenizer,
    prompt_options,
    read_prompt,
    token_fields,
    token_lines,
)
from deepprove_dist.cli.trace import trace_option, traced
from deepprove_dist.cli.workers import (
    cluster_options,
    opened,
    recovery_report,
    worker_options,
    worker_records,
)
from deepprove_dist.errors import InputError
from deepprove_dist.proving_key import ProvingKey

if TYPE_CHECKING:
    from rich.table import Table

logger = logging.getLogger(__name__)


@sections.command("generate")
@click.argument("keys", type=options.KEYS, help="Folder of the keys.")
@prompt_options
@sections.option_group(
    "Answer",
    options.count_option("--max-new-tokens", "The most tokens of the answer.", 32),
    sections.option(
        "--stop-token",
        "stop_tokens",
        type=click.IntRange(min=0),
        multiple=True,
        metavar="ID",
        help="The answer ends at this token. May be given several times.",
    ),
    sections.option(
        "--padding-token",
        "padding",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="ID",
        help="The token at all positions after the answer. The proof states it.",
    ),
    options.context_option,
    options.proof_option,
    auto_rekey_option,
)
@worker_options
@options.threads_option
@options.memory_option
@trace_option
@options.json_option
def command(
    keys: Path,
    prompt_tokens: tuple[int, ...] | None,
    prompt_tokens_file: Path | None,
    prompt: str | None,
    tokenizer: Path | None,
    max_new_tokens: int,
    stop_tokens: tuple[int, ...],
    padding: int,
    context: str,
    output: Path,
    auto_rekey: bool,
    threads: int | None,
    memory: int | None,
    trace: Path | None,
    as_json: bool,
    **workers: Any,
) -> None:
    """Continue a prompt with the most likely tokens, and prove the whole answer in one proof.

    KEYS is of a token model: one that ends in ArgMax at every position, as `setup --output-form argmax` makes
    it. The integer model runs once for each new token. Then one proof states prompt and answer as the input.
    Each token of the answer is the ArgMax at the position before it. Positions after the answer hold the
    padding token. `verify` checks all of it, and prints the tokens.

    That is the greedy answer if the model is causal: outputs do not depend on later tokens. Outputs that
    change with later tokens end the command with an error.

    \b
    Examples:
      deepprove-dist setup model.onnx --calibration tokens.npz --output-form argmax -o keys
      deepprove-dist generate keys --prompt-tokens 464,3290,318 --max-new-tokens 16 -o proof
      deepprove-dist generate keys --prompt "The dog is" --tokenizer tokenizer.json -o proof
    """
    texts = load_tokenizer(tokenizer)
    tokens = read_prompt(
        texts, prompt_tokens=prompt_tokens, prompt_tokens_file=prompt_tokens_file, prompt=prompt
    )
    if tokens is None:
        raise InputError("there is no prompt: give --prompt-tokens, --prompt-tokens-file or --prompt")
    with traced(trace) as nodes, opened(cluster_options(**workers)) as group:
        rekeyed = auto_rekey and rekey_if_spent(keys, threads)
        loaded = ProvingKey.load(keys, threads=threads, workers=group, memory=memory)
        with progress_bars() as progress:
            result = loaded.generate(
                tokens,
                max_new_tokens=max_new_tokens,
                stop_tokens=stop_tokens,
                padding=padding,
                context=context.encode(),
                progress=progress,
            )
        proof = result.proof
        # On disk before workers and their cluster are closed: whatever goes wrong there, the proof stays.
        proof.save(output)
        ran_on, recovery = worker_records(group), recovery_report(group)
        nodes += [record["node"] for record in ran_on]
    if warning := transparent_warning(loaded.verifying.content):
        logger.warning("%s", warning)
    fields = {
        "proof": output,
        **mode_fields(loaded.verifying.content),
        **token_fields(texts, result.prompt, result.answer),
        "padding": padding,
        "stopped_by": result.stop,
        "epoch": None if loaded.prover.epoch is None else loaded.prover.epoch.number,
        "remaining": proof.remaining,
        "rekeyed": rekeyed,
        "generation_ms": result.generation_ms,
        "proving_ms": proof.proving_ms,
        "self_check_ms": proof.self_check_ms,
        "proof_bytes": len(proof),
        "peak_rss_bytes": proof.peak_rss_bytes,
        "workers": ran_on,
        "recovery": recovery,
    }
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    yield pairs_table(
        "Generation",
        [
            *token_lines(fields),
            ("ended by", _ENDS[fields["stopped_by"]]),
            ("generation", milliseconds(fields["generation_ms"])),
            ("proving", milliseconds(fields["proving_ms"])),
            ("self-check", milliseconds(fields["self_check_ms"])),
            ("size", size(fields["proof_bytes"])),
            ("peak memory", size(fields["peak_rss_bytes"])),
            ("proof", mode_words(fields)),
            *budget_pairs(fields),
        ],
    )
    yield from worker_tables(fields)
    yield f"Proof written to {fields['proof']}"


_ENDS = {
    "stop token": "a stop token",
    "new tokens": "--max-new-tokens",
    "length": "the key's last position",
}
