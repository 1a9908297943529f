"""Names and sentences that a file holds against the rules of CONTRIBUTING.md, found in its syntax tree."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

WORD = re.compile(r"[A-Za-z][A-Za-z'’-]+")
IDENTIFIER_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
CODE = re.compile(r"`[^`]*`")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)[.!?][)\"'”]*(?:\s+|$)")
ITEM = re.compile(r"\s*(?:[-*|]|\d+\.|[\w ,*`]+:(?=\s)(?! *$))")
VERBATIM = "\b"
"""What click begins a paragraph with whose lines stay as they are."""
LANGUAGE_NAME = re.compile(r"\bBox(?=<|::)|\bblack_box\b")


class Rule(Enum):
    """What may be wrong with a name or a sentence."""

    VARIABLE = "banned variable"
    TYPE = "type defined twice"
    WORD = "old word"
    SENTENCE = "long sentence"


@dataclass(frozen=True)
class Vocabulary:
    """Names that no variable has, words that nothing is called by, and the most words of a sentence."""

    banned_variables: frozenset[str]
    old_words: frozenset[str]
    most_words: int


@dataclass(frozen=True)
class Offence:
    """One break of a rule, at a line that counts from 1."""

    rule: Rule
    line: int
    text: str


def python_offences(source: str, vocabulary: Vocabulary) -> Iterator[Offence]:
    """What one Python file breaks, but for types that other files define too."""
    tree = ast.parse(source)
    for name, line in bound_names(tree):
        if name in vocabulary.banned_variables:
            yield Offence(Rule.VARIABLE, line, name)
        for word in identifier_words(name) & vocabulary.old_words:
            yield Offence(Rule.WORD, line, f"{word} in {name}")
    for text, line in texts(source, tree):
        yield from text_offences(text, vocabulary, line)


def rust_offences(source: str, vocabulary: Vocabulary) -> Iterator[Offence]:
    """Old words anywhere in a Rust file; `Box` and `black_box` of the language are none."""
    for number, line in enumerate(source.splitlines(), 1):
        for word in identifier_words(LANGUAGE_NAME.sub("", line)) & vocabulary.old_words:
            yield Offence(Rule.WORD, number, word)


def markdown_offences(source: str, vocabulary: Vocabulary) -> Iterator[Offence]:
    """Old words and long sentences of a page; blocks of code are none, and cells of tables are texts."""
    blank = FENCE.sub(lambda match: "\n" * match.group().count("\n"), source)
    line = 1
    for block in re.split(r"(\n(?:\s*\n)+|\n(?=\|))", blank):
        for text in block.split("|") if block.startswith("|") else [block]:
            yield from text_offences(text, vocabulary, line)
        line += block.count("\n")


def text_offences(text: str, vocabulary: Vocabulary, line: int = 1) -> Iterator[Offence]:
    """Old words and long sentences of a text that begins at that line."""
    for word in WORD.findall(CODE.sub("", text)):
        if word.lower() in vocabulary.old_words:
            yield Offence(Rule.WORD, line, word)
    for sentence in sentences(text):
        count = len(WORD.findall(sentence))
        if count > vocabulary.most_words:
            yield Offence(Rule.SENTENCE, line, f"{count} words: {sentence[:60]} ...")


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that a module gives: variables, parameters, functions, classes, fields."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno


def defined_types(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Public classes and type aliases at the top of a module."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.BinOp(op=ast.BitOr())):
                pass
            case _:
                continue
        if name[0].isupper() and not name.isupper():
            yield name, node.lineno


def texts(source: str, tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Docstrings, other texts of several words, and blocks of comments, each with its first line."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=parts):
                written = [str(p.value) if isinstance(p, ast.Constant) else "`value`" for p in parts]
                text = "".join(written)
            case ast.Constant(value=str(text)) if id(node) not in inside:
                pass
            case _:
                continue
        # Texts of several lines that are no docstrings are files that a test writes, or the like.
        if " " in text.strip() and (id(node) in alone or "\n" not in text.strip()):
            yield text, node.lineno
    yield from comments(source)


def comments(source: str) -> Iterator[tuple[str, int]]:
    """Comments; those on lines that follow each other are one text."""
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != last + 1:
            yield "\n".join(block), first
            block = []
        first = first if block else token.start[0]
        last = token.start[0]
        block.append(token.string.lstrip("#: "))
    if block:
        yield "\n".join(block), first


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text; items of lists, rows of tables and named fields stand for themselves."""
    for paragraph in paragraphs(text):
        if paragraph.startswith(VERBATIM):
            continue
        joined = CODE.sub("code", paragraph)
        yield from filter(None, (part.strip() for part in SENTENCE_END.split(joined)))


def paragraphs(text: str) -> Iterator[str]:
    """Lines that belong together, joined by blanks."""
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if (not line.strip() or ITEM.match(line)) and lines:
            yield " ".join(lines)
            lines = []
        if line.strip():
            lines.append(line.strip(" "))


def identifier_words(text: str) -> set[str]:
    """The words of snake_case and CamelCase names, in small letters."""
    return {part.lower() for part in IDENTIFIER_PART.findall(text)}
