"""Which of Ray's authentication modes a run uses.

Without the setting, Ray may write a token into the user's home. With one it cannot join clusters that use
none. And it tries forever to join a cluster with tokens without one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
_FILE = "~/.ray/auth_token"


def authentication() -> Mapping[str, str]:
    """Variables for a process that joins a cluster; what the user has set stays."""
    if MODE in os.environ:
        return {}
    return {MODE: "token" if TOKEN in os.environ or _token_file().is_file() else "disabled"}


def token_source() -> str:
    """Where this process has its token from, as users know it."""
    return TOKEN if TOKEN in os.environ else os.environ.get(TOKEN_FILE, _FILE)


def _token_file() -> Path:
    return Path(os.environ.get(TOKEN_FILE, _FILE)).expanduser()
