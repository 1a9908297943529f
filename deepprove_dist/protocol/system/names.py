"""Names in files: they are printed, so a file's maker must not command a terminal with them."""

from __future__ import annotations

from deepprove_dist.errors import ModelError

MAX_LENGTH = 256


def is_name(text: str) -> bool:
    """Whether a key may hold this name: printable, and of at most `MAX_LENGTH` characters."""
    return len(text) <= MAX_LENGTH and text.isprintable()


def as_name(text: str) -> str:
    """The name itself if a key may hold it, else the part of it that can be printed, cut."""
    return printable(text[:MAX_LENGTH])


def printable(text: str, *, keep: str = "") -> str:
    """The text with a question mark for each character that cannot be printed and is none of `keep`."""
    return "".join(c if c.isprintable() or c in keep else "?" for c in text)


def require_public_name(text: str) -> None:
    """Raises ModelError for an input or output of a name that no key may hold; other names are free."""
    if not is_name(text):
        raise ModelError(
            f"an input or output is called {text[:MAX_LENGTH]!a}: rename it in the model, with at most "
            f"{MAX_LENGTH} printable characters"
        )
