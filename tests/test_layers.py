"""The layers of the package point one way, and the verifier stands on the lowest ones alone."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import deepprove_dist.protocol

PACKAGE = Path(deepprove_dist.__file__).parent
NAME = PACKAGE.name

LAYERS = (
    {
        "checks",
        "errors",
        "ahead",
        "arrays",
        "choices",
        "field",
        "cpu",
        "memory",
        "narrow_integers",
        "canonical",
        "job_logging",
        "atomic",
        "retry",
        "pictures",
    }
    | {"pictures", "timing", "metrics", "kernels", "_kernels"},
    {"protocol"},
    {"lowering"},
    {"operators"},
    {"model"},
    {
        "samples",
        "formats",
        "file_bytes",
        "security",
        "randomness",
        "key_budget",
        "modes",
        "openings",
        "onnx_runtime",
    }
    | {"texts", "onnx_runtime"},
    {"importing"},
    {"quantise"},
    {"prover", "verifier", "rekeying", "setup_options", "token_tensors", "generations"},
    {"execution"},
    {"keys", "proofs", "certificates", "certificate_cache", "epochs", "public_list", "hidden_tensors"},
    {"proving", "verifying_key", "generating"},
    {"proving_key"},
    {"hiding_cost", "setup_report", "setting_up", "auditing", "estimating", "node_costs"}
    | {"descriptions", "inspecting", "pricing"},
    {"service"},
    {"cli", "__main__"},
)
"""From the lowest to the highest; a module imports its own layer and those below it."""

RANKS = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
HEAVY = ("onnx", "onnxruntime", "ray", "click", "rich", "matplotlib", "fastapi", "sqlalchemy", "fsspec")
PROVING = {
    "onnx_runtime",
    "importing",
    "quantise",
    "samples",
    "operators",
    "randomness",
    "lowering",
    "prover",
    "rekeying",
    "epochs",
    "keys",
    "openings",
    "hidden_tensors",
    "proving",
    "generating",
    "proving_key",
    "setup_options",
    "setup_report",
    "hiding_cost",
    "key_budget",
    "setting_up",
    "auditing",
    "estimating",
    "pricing",
    "node_costs",
    "service",
    "cli",
    "pictures",
}
PROVING_PROTOCOL = ("prove", "parts", "backend", "local_backend", "witness")
"""Last names of modules of the protocol that only a prover needs."""

LIGHT = {f"{NAME}.model", f"{NAME}.model.format"}
"""Of the models' package, what every verifier loads."""

PUBLIC_WEIGHTS = f"{NAME}.model.public_weights"
"""What a verifier loads when it is given the model that a key of public weights was made for."""


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str) -> Iterator[str]:
    """Full names that a module imports, anywhere in it: in functions and for types too."""
    tree = ast.parse(MODULES[module].read_text())
    return imported(module, ast.walk(tree))


def imported(module: str, nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Full names that those statements among the nodes of a module import."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
            base = ".".join(filter(None, (above if node.level else "", node.module)))
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in MODULES else base


def part(module: str) -> str | None:
    """The part of the package that a module belongs to; None for the package's own face and others."""
    first, *inner = module.split(".")
    return inner[0] if first == NAME and inner else None


def is_proving(module: str) -> bool:
    """Only a prover needs this module of the package."""
    if part(module) == "model":
        return module not in LIGHT
    last = module.rpartition(".")[2]
    return part(module) in PROVING or (part(module) == "protocol" and last in PROVING_PROTOCOL)


def reachable(module: str, without: str = "") -> set[str]:
    """All modules of the package that importing one may ever import, by other ways than through `without`."""
    reached: set[str] = {without}
    todo = {module}
    while todo:
        reached |= todo
        todo = {name for known in todo for name in imports(known) if name in MODULES} - reached
    return reached - {without}


@pytest.mark.parametrize("module", [name for name in MODULES if part(name)])
def test_a_module_imports_its_own_layer_and_those_below(module: str) -> None:
    rank = RANKS[part(module) or ""]
    upward = {name for name in imports(module) if part(name) and RANKS[part(name) or ""] > rank}
    assert not upward


def test_the_package_needs_nothing_else_of_the_checkout() -> None:
    outside = {name.split(".")[0] for module in MODULES for name in imports(module)}
    assert not outside & {"benchmarks", "tests", "examples", "tools"}


def test_no_parts_import_each_other() -> None:
    """Neither directly nor by others: each part can be read with those that it imports."""
    known: dict[str, set[str]] = {name: set() for name in RANKS}
    for module in MODULES:
        if this := part(module):
            known[this] |= {other for name in imports(module) if (other := part(name)) and other != this}
    while parts := [name for name, others in known.items() if not others]:
        known = {name: others - {*parts} for name, others in known.items() if name not in parts}
    assert not known


def folder(module: str) -> str:
    """The folder of a module; of those of the package's face the module itself."""
    parent = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    return module if parent == NAME else parent


def folders_beneath() -> dict[str, set[str]]:
    """For each folder those that modules of it import from."""
    edges: dict[str, set[str]] = {}
    for module in MODULES:
        beneath = {folder(name) for name in imports(module) if name in MODULES}
        edges.setdefault(folder(module), set()).update(beneath - {folder(module)})
    return edges


def test_folders_import_each_other_one_way() -> None:
    graphlib.TopologicalSorter(folders_beneath()).prepare()


def protocol_folders() -> list[str]:
    """The folders of the protocol in the order in which its docstring lists them."""
    return re.findall(r"^\| `(\w+)` \|", deepprove_dist.protocol.__doc__ or "", re.MULTILINE)


def test_the_protocol_lists_its_folders_in_the_order_of_their_imports() -> None:
    protocol = f"{NAME}.protocol"
    order = [f"{protocol}.{name}" for name in protocol_folders()]
    edges = {name: beneath for name, beneath in folders_beneath().items() if name.startswith(protocol)}
    assert edges.keys() == {protocol, *order}
    assert not edges[protocol]
    for rank, name in enumerate(order):
        assert not edges[name] & {*order[rank:]}, name


def test_prover_and_verifier_do_not_know_each_other() -> None:
    assert f"{NAME}.prover" not in reachable(f"{NAME}.verifier")
    assert f"{NAME}.verifier" not in reachable(f"{NAME}.prover")


def test_what_operators_lower_themselves_with_knows_none_of_them() -> None:
    beneath = [f"{NAME}.lowering.{name}" for name in ("expression", "builder", "views")]
    known = {part(name) for module in beneath for name in reachable(module)}
    assert "operators" not in known


def test_protocol_knows_no_package_above_it() -> None:
    foreign = {
        name.split(".")[0] for module in MODULES if part(module) == "protocol" for name in imports(module)
    }
    assert foreign - set(sys.stdlib_module_names) == {NAME, "numpy"}


def test_the_verifier_reaches_no_proving_code() -> None:
    modules = reachable(f"{NAME}.verifier", PUBLIC_WEIGHTS) - {NAME}
    assert not {module for module in modules if is_proving(module)}
    foreign = {name.split(".")[0] for module in modules for name in imports(module)}
    assert foreign - set(sys.stdlib_module_names) == {NAME, "numpy", "msgspec"}


def test_only_a_function_of_the_verifier_lowers_models() -> None:
    """So that it is loaded with a model in hand, and never else."""
    verifier = f"{NAME}.verifier"
    users = {module for module in MODULES if PUBLIC_WEIGHTS in imports(module)}
    assert users == {verifier}
    top = ast.parse(MODULES[verifier].read_text()).body
    assert PUBLIC_WEIGHTS not in imported(verifier, top)
    lowering = reachable(PUBLIC_WEIGHTS) - {NAME}
    foreign = {name.split(".")[0] for module in lowering for name in imports(module)}
    assert foreign - set(sys.stdlib_module_names) == {NAME, "numpy", "msgspec"}


def test_importing_the_verifier_is_fast_and_loads_no_more() -> None:
    script = (
        "import sys, time; begin = time.process_time(); import deepprove_dist.verifier;"
        "print(time.process_time() - begin, *sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, *loaded = run.stdout.split()
    assert f"{NAME}.verifier" in loaded
    assert not {name for name in loaded if name.split(".")[0] in HEAVY or is_proving(name)}
    assert float(seconds) < 1
