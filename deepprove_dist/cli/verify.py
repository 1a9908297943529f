"""`deepprove-dist verify`: checks a proof, and prints the output that it proves.

This module and all that it imports load neither ONNX, Ray nor the prover; operators with --model only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.certificate_cache import CertificateCache
from deepprove_dist.certificates import Certificate
from deepprove_dist.checks import list_checks
from deepprove_dist.cli import options, sections
from deepprove_dist.cli.commitments import (
    commitment_fields,
    commitment_lines,
    input_commitment_option,
    output_commitment_option,
    read_digests,
)
from deepprove_dist.cli.expected import expected_input, expected_output
from deepprove_dist.cli.hiding import mode_fields, mode_words
from deepprove_dist.cli.output import by_name, milliseconds, report, text
from deepprove_dist.cli.tokens import load_tokenizer, prompt_options, read_prompt, token_fields, token_lines
from deepprove_dist.errors import FormatError, InputError, VerificationError
from deepprove_dist.generations import (
    Generation,
    check_generation,
    generation_context,
    require_context,
    require_prompt,
)
from deepprove_dist.protocol.system.system import PublicTensor
from deepprove_dist.verifier import Statement, read_certificate
from deepprove_dist.verifying_key import VerifyingKey


def _bytes_of_hex(ctx: click.Context, parameter: click.Parameter, digits: str | None) -> bytes | None:
    try:
        return None if digits is None else bytes.fromhex(digits)
    except ValueError as error:
        raise click.BadParameter("give pairs of hexadecimal digits", ctx, parameter) from error


def _list_checks(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Prints all checks, and ends the program: no key or proof is needed for it."""
    if asked:
        for name, requirement in list_checks().items():
            click.echo(f"{name}: {requirement}")
        ctx.exit()


@sections.command("verify")
@click.argument("key", type=options.KEYS, help="The verifying key.")
@click.argument("proof", type=options.FILE, help="The proof.")
@sections.option(
    "--model", type=options.FILE, metavar="FILE", help="The integer model, for a key of public weights."
)
@sections.option(
    "--certificate",
    "certificates",
    type=options.FILE,
    multiple=True,
    metavar="FILE",
    help="A certificate of the proof's epoch, where the proof has none; several ones in their order.",
)
@sections.option(
    "--no-cache",
    is_flag=True,
    help="Check certificates that were checked before, too. They are remembered in the user's cache.",
)
@sections.option_group(
    "What the proof must state",
    sections.option(
        "--input", "input_file", type=options.FILE, metavar="FILE", help="The file with the input."
    ),
    sections.option(
        "--output", "output_file", type=options.FILE, metavar="FILE", help="The file with the output."
    ),
    options.index_option,
    input_commitment_option,
    output_commitment_option,
    sections.option("--key-digest", callback=_bytes_of_hex, metavar="HEX", help="The digest of the key."),
    sections.option("--context", metavar="TEXT", help="The text that the proof is bound to."),
)
@prompt_options
@sections.option(
    "--list-checks",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_checks,
    help="List everything that is checked, and stop.",
)
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    key: Path,
    proof: Path,
    input_file: Path | None,
    output_file: Path | None,
    index: range,
    certificates: tuple[Path, ...],
    no_cache: bool,
    model: Path | None,
    input_commitments: tuple[str, ...],
    output_commitments: tuple[str, ...],
    key_digest: bytes | None,
    context: str | None,
    tokenizer: Path | None,
    as_json: bool,
    **prompts: Any,
) -> None:
    """Check PROOF with the verifying key KEY, and print the output that it proves.

    A valid proof says: the model that KEY stands for gives this output for the input in the proof. Compare
    that input, and the key's digest, with what you expect, or let --input and --key-digest do so. A key of
    public weights needs --model: the model is lowered again, and compared with the key.

    A hidden input or output has a commitment in the proof, whose digest is printed. Compare it by
    --input-commitment and --output-commitment.

    The proof of a generation is checked to the last token: the answer, and the padding after it. It is
    printed, as a text too with --tokenizer. With --prompt-tokens, or --prompt, the proof must be of a
    generation, and of this prompt.

    The exit status is 0 if the proof is valid, 1 if it is not, and 2 for files that cannot be read.

    \b
    Examples:
      deepprove-dist verify keys/verifying.key proof
      deepprove-dist verify keys/verifying.key proof --input input.json --index 3 --context "order 1234"
    """
    texts = load_tokenizer(tokenizer)
    prompt = read_prompt(texts, **prompts)
    checked = None if no_cache else CertificateCache.of_user()
    verifying = VerifyingKey.load(key, model=model, checked=checked)
    content = verifying.read_proof(proof)
    expected: dict[str, Any] = {
        "input": input_file and expected_input(input_file, index, _shown(verifying, "input")),
        "output": output_file and expected_output(output_file, index, _shown(verifying, "output")),
        "input_commitment": _digests(verifying, "input", input_commitments),
        "output_commitment": _digests(verifying, "output", output_commitments),
        "key_digest": key_digest,
    }
    begin = time.perf_counter()
    try:
        for certificate in certificates:
            verifying.accept(Certificate(read_certificate(verifying.content, certificate)))
        statement = verifying.verify(content, **expected)
        generation = _generation(verifying, statement, prompt)
        if context is not None:
            require_context(statement, context.encode())
    except FormatError as error:
        raise FormatError(f"{proof}: {error}") from error
    except VerificationError as error:
        outcome: dict[str, Any] = {"error": {"check": error.check.value, "message": error.message}}
    else:
        outcome = {
            "output": by_name(_output(statement)) if statement.outputs else None,
            **commitment_fields(statement),
            "key_digest": statement.key_digest,
            "context": (generation or statement).context.decode(errors="replace"),
            "generation": None
            if generation is None
            else {
                **token_fields(texts, generation.prompt, generation.answer),
                "padding": generation.padding,
                "length": generation.length,
            },
        }
    fields = {
        "valid": "error" not in outcome,
        "verifying_ms": 1e3 * (time.perf_counter() - begin),
        **mode_fields(verifying.content),
        **outcome,
    }
    report(fields, as_json=as_json, view=_view)
    ctx.exit(0 if fields["valid"] else 1)


def _output(statement: Statement) -> dict[str, Any]:
    return {name: integers.real_lists for name, integers in statement.outputs.items()}


def _generation(key: VerifyingKey, statement: Statement, prompt: tuple[int, ...] | None) -> Generation | None:
    """What a valid proof says of a generation, if it is of one, or has to be."""
    if generation_context(statement.context) is None and prompt is None:
        return None
    generation = check_generation(key.tokens, statement)
    if prompt is not None:
        require_prompt(generation, prompt)
    return generation


def _shown(key: VerifyingKey, direction: str) -> tuple[PublicTensor, ...]:
    """The inputs, or outputs, whose values a statement has. Raises InputError where all are hidden."""
    shown = key.visible(key.inputs if direction == "input" else key.outputs)
    if not shown:
        raise InputError(
            f"every {direction} of this key is hidden, and a proof has commitments instead: "
            f"compare them by --{direction}-commitment"
        )
    return shown


def _digests(key: VerifyingKey, direction: str, texts: tuple[str, ...]) -> dict[str, bytes] | None:
    """The digests of commitments that the proof must have, by the names of hidden inputs or outputs."""
    tensors = key.inputs if direction == "input" else key.outputs
    hidden = [tensor for tensor in tensors if tensor not in key.visible(tensors)]
    return read_digests(f"--{direction}-commitment", texts, hidden)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    if fields["valid"]:
        yield f"valid ({milliseconds(fields['verifying_ms'])})"
        if fields["generation"] is not None:
            yield from (f"{name}: {value}" for name, value in token_lines(fields["generation"]))
        elif fields["output"] is not None:
            yield f"output: {text(fields['output'])}"
        yield from commitment_lines(fields)
        yield f"key:    {fields['key_digest'].hex()}"
        yield f"proof:  {mode_words(fields)}"
    else:
        yield f"NOT valid: {fields['error']['check']}: {fields['error']['message']}"
