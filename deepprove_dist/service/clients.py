"""Who may use the service: a file with a line for each client, its name and its token.

A third word of a line is the highest priority that the client may ask for. The file is its owner's alone.
Tokens are compared by their digests, in constant time, and all of them: an answer's time tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.errors import FormatError, SecretError
from deepprove_dist.randomness.owner_file import open_plain_file, require_owner_only
from deepprove_dist.service.job import MAX_PRIORITY, MIN_PRIORITY

MIN_TOKEN = 16
"""Characters: a shorter token could be guessed over the network."""

_LONGEST_FILE = 1 << 20


@dataclass(frozen=True)
class ServiceClient:
    """A client: its name, the digest of its token, and the highest priority of its jobs."""

    name: str
    digest: bytes = field(repr=False)
    max_priority: int = MAX_PRIORITY


class Clients:
    """The clients of a file.

    Example:
        >>> Clients.load(Path("tokens")).authenticate(token)
    """

    def __init__(self, clients: Sequence[ServiceClient]) -> None:
        self._clients = tuple(clients)

    @classmethod
    def load(cls, path: Path) -> Clients:
        """Reads the file of tokens.

        Raises:
            OSError: where it cannot be read.
            SecretError: where others may read it.
            FormatError: for a line that is no client, and a name or token that is there twice.
        """
        with open_plain_file(path) as file:
            content = file.read(_LONGEST_FILE)
            require_owner_only(path, file)
        try:
            lines = content.decode().splitlines()
        except UnicodeDecodeError as error:
            raise FormatError(f"{path} is not UTF-8 text") from error
        numbered = [(number, line.split()) for number, line in enumerate(lines, 1)]
        clients = [
            _client(f"{path}, line {number}", words)
            for number, words in numbered
            if words and not words[0].startswith("#")
        ]
        if not clients:
            raise FormatError(f"{path} has no client: write a line with a name and a token")
        for values in ([client.name for client in clients], [client.digest for client in clients]):
            if len({*values}) < len(values):
                raise FormatError(f"{path} has a name or a token twice")
        return cls(clients)

    @staticmethod
    def generate(path: Path, name: str = "owner") -> None:
        """Writes a file with one client and a new token. Raises OSError."""
        write_atomically(path, f"{name} {secrets.token_urlsafe(32)}\n".encode(), mode=0o600)

    def authenticate(self, token: str) -> ServiceClient | None:
        """The client whose token this is; None where it is nobody's."""
        digest, known = _digest(token), None
        for client in self._clients:
            if hmac.compare_digest(client.digest, digest):
                known = client
        return known


def read_token(path: Path) -> str:
    """The token in a file: the only word of its first line, or the second one after a client's name.

    Raises OSError, and SecretError where others may read it or there is no token.
    """
    with open_plain_file(path) as file:
        words = file.read(_LONGEST_FILE).decode(errors="replace").split("\n")[0].split()
        require_owner_only(path, file)
    if not words:
        raise SecretError(f"{path} has no token in its first line")
    return words[0] if len(words) == 1 else words[1]


def _client(where: str, words: Sequence[str]) -> ServiceClient:
    if len(words) not in (2, 3):
        raise FormatError(f"{where} is no client: a name, a token, and perhaps the highest priority")
    if len(words[1]) < MIN_TOKEN:
        raise FormatError(f"{where} has a token of fewer than {MIN_TOKEN} characters")
    highest = words[2] if len(words) == 3 else str(MAX_PRIORITY)
    if not highest.isdecimal() or not MIN_PRIORITY <= int(highest) <= MAX_PRIORITY:
        raise FormatError(f"{where} has a priority that is none of {MIN_PRIORITY} to {MAX_PRIORITY}")
    return ServiceClient(words[0], _digest(words[1]), int(highest))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
