"""The page of the service: one HTML file with its style and script, which loads nothing from elsewhere."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("page.html")


@cache
def page() -> str:
    """The page."""
    return _FILE.read_text(encoding="utf-8")


def _digests(element: str) -> str:
    """What a content security policy names the contents of an element by."""
    contents = re.findall(rf"<{element}>(.*?)</{element}>", page(), re.DOTALL)
    return " ".join(
        f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in contents
    )


HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": f"default-src 'none'; connect-src 'self'; style-src {_digests('style')}; "
        f"script-src {_digests('script')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
)
"""Of the page's answer: nothing but this file runs, and it talks to its service only."""
