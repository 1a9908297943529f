"""Which of Ray's authentication modes a run uses, set before Ray is imported.

Without the setting, Ray writes a token into the user's home when it starts a local cluster. With that token
it cannot join clusters that use none. And it tries forever to join a cluster with tokens without one. Ray
reads the variables once in a process, as it is imported, so they stay set.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


def choose_authentication(address: str | None) -> None:
    """Sets Ray's variables for joining the cluster at `address`, or for a local one if that is None.

    What the user has set stays. Does nothing once Ray is imported.
    """
    if MODE in os.environ or "ray" in sys.modules:
        return
    if address is None:
        # A local cluster listens to the network too. Its token lives as long as this process.
        os.environ.setdefault(TOKEN, secrets.token_hex(32))
    has_token = TOKEN in os.environ or _token_file().is_file()
    os.environ[MODE] = "token" if has_token else "disabled"


def _token_file() -> Path:
    return Path(os.environ.get(TOKEN_FILE, "~/.ray/auth_token")).expanduser()
