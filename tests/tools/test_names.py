"""What the check of names and sentences sees, and what it lets pass."""

from __future__ import annotations

import ast

import pytest

from tools.names import (
    Offence,
    Rule,
    Vocabulary,
    defined_types,
    markdown_offences,
    python_offences,
    rust_offences,
    sentences,
    text_offences,
)

VOCABULARY = Vocabulary(frozenset({"own", "found"}), frozenset({"gadget", "box"}), most_words=5)


def broken(source: str) -> set[tuple[Rule, int]]:
    return {(offence.rule, offence.line) for offence in python_offences(source, VOCABULARY)}


@pytest.mark.parametrize(
    "source",
    [
        "own = 1",
        "own: int = 1",
        "a, (own, b) = c",
        "self.own = 1",
        "x = [own for own in y]",
        "def f(own): ...",
        "f(own := 1)",
        "with x as own: ...",
        "try: ...\nexcept E as own: ...",
        "match x:\n case [*own]: ...",
        "match x:\n case {'a': own}: ...",
    ],
)
def test_banned_variables(source: str) -> None:
    assert {rule for rule, _ in broken(source)} == {Rule.VARIABLE}


def test_names_that_are_only_read_or_longer_pass() -> None:
    assert not broken("x = own\ny = a.found\nowner = 1\nfoundation = f(found=2)")


@pytest.mark.parametrize(
    "source", ["gadget_size = 1", "class OpenGadget: ...", "def in_gadget(): ...", "f = 'the gadget is'"]
)
def test_old_words(source: str) -> None:
    assert broken(source) == {(Rule.WORD, 1)}


def test_old_words_in_comments_and_docstrings() -> None:
    assert broken('"""A gadget."""\nx = 1  # its box\n') == {(Rule.WORD, 1), (Rule.WORD, 2)}
    assert not broken('"""The name `gadget` is quoted."""\ngadgetry = "gadget"\n')


def test_old_words_in_rust() -> None:
    offences = list(
        rust_offences("let a: Box<T> = Box::new(b);\nstruct Boxes;\nlet box_size = 1;", VOCABULARY)
    )
    assert offences == [Offence(Rule.WORD, 3, "box")]


def test_long_sentences() -> None:
    short, long = "One two three four five.", "One two three four five six."
    assert not list(text_offences(f"{short} {short}", VOCABULARY))
    assert [offence.rule for offence in text_offences(f"{short} {long}", VOCABULARY)] == [Rule.SENTENCE]
    assert broken(f'"""{short}\n\n{long}"""') == {(Rule.SENTENCE, 1)}
    assert broken(f"# One two three\n# four five six.\nx = 1\n# {short}") == {(Rule.SENTENCE, 1)}
    assert broken("x = f'one two {y} three four five six'") == {(Rule.SENTENCE, 1)}


def test_sentences_end_where_lists_rows_and_fields_do() -> None:
    text = """First line
    goes on. Second, e.g. here! Third (with `a.b. c` in it)?

    - one
      item
    - two

    Attributes:
        name: what it is.
        other: more

    | a | row |
    """
    assert [part.strip("-| ") for part in sentences(text)] == [
        "First line goes on",
        "Second, e.g. here",
        "Third (with code in it)",
        "one item",
        "two",
        "Attributes:",
        "name: what it is",
        "other: more",
        "a | row",
    ]


def test_pages_without_their_code() -> None:
    page = "One.\n\n```bash\ngadget a b c d e f\n```\n| a b c | d e f g |\n| --- | --- |\n\nIts gadget here."
    assert list(markdown_offences(page, VOCABULARY)) == [Offence(Rule.WORD, 9, "gadget")]


def test_lines_that_click_leaves_alone_are_no_sentence() -> None:
    assert not broken('"""One.\n\n    \\b\n    one two three\n    four five six\n    """')


def test_public_types_at_the_top_of_a_module() -> None:
    source = """
class Shape: ...
Rows = tuple[int, ...]
Value = int | str
Name: TypeAlias = "Other"
class _Hidden: ...
LIMIT = sizes[0]
T = TypeVar("T")
def f():
    class Inner: ...
"""
    assert [name for name, _ in defined_types(ast.parse(source))] == ["Shape", "Rows", "Value", "Name"]
