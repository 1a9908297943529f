"""Nothing of this package lets onnxruntime tell what is done on a machine."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import deepprove_dist

PACKAGE = Path(deepprove_dist.__file__).parent
GATE = PACKAGE / "onnx_runtime.py"


def test_no_identifier_is_kept_in_the_home(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    code = "from deepprove_dist.onnx_runtime import onnxruntime; onnxruntime.get_available_providers()"
    subprocess.run([sys.executable, "-c", code], env={**environment, "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []


def test_it_is_imported_in_one_module_only() -> None:
    for module in set(PACKAGE.rglob("*.py")) - {GATE}:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.partition(".")[0] == "onnxruntime" for name in names), module
