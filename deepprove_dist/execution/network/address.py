"""Where a process listens, and which rank publishes there."""

from __future__ import annotations

from typing import NamedTuple


class Address(NamedTuple):
    """A listening socket: the machine's address or name, and the port."""

    host: str
    port: int


class Publisher(NamedTuple):
    """A rank that publishes a value, and where its process hands the value out."""

    rank: int
    address: Address
