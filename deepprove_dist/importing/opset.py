"""Bringing a model of an older opset to the one that rules begin at, by onnx's own version converter."""

import onnx
from onnx import version_converter

from deepprove_dist.errors import Problem
from deepprove_dist.importing.expanding.old_bounds import with_typed_bounds
from deepprove_dist.importing.expanding.old_positions import with_old_positions
from deepprove_dist.importing.rewriting.standard import NATIVE_OPSET, OLDEST_OPSET, STANDARD
from deepprove_dist.importing.rewriting.stored_constants import with_all_data


def readable_opsets() -> tuple[int, int]:
    """The oldest and the newest opset that is read, both included."""
    return OLDEST_OPSET, onnx.defs.onnx_opset_version()


def raise_opset(model: onnx.ModelProto) -> tuple[onnx.ModelProto, tuple[Problem, ...]]:
    """The model in an opset that rules read; or as it is, with the problem, where that cannot be."""
    versions = [opset.version for opset in model.opset_import if opset.domain in STANDARD]
    newest = onnx.defs.onnx_opset_version()
    if not versions or NATIVE_OPSET <= versions[0] <= newest:
        return model, ()
    if versions[0] > newest:
        return model, (_problem(model, versions[0], "export the model with an older opset, or update onnx"),)
    if versions[0] < OLDEST_OPSET:
        advice = "export the model with a newer opset, or try onnx.version_converter.convert_version"
        return model, (_problem(model, versions[0], advice),)
    try:
        converted = version_converter.convert_version(with_all_data(model), NATIVE_OPSET)
        return with_typed_bounds(with_old_positions(converted)), ()
    except Exception:  # The converter raises errors of any type, in words of its own inner checks.
        advice = f"export the model with opset {NATIVE_OPSET} or newer: onnx's version converter fails on it"
        return model, (_problem(model, versions[0], advice),)


def _problem(model: onnx.ModelProto, version: int, advice: str) -> Problem:
    oldest, newest = readable_opsets()
    supported = f"opsets {oldest} to {newest}"
    return Problem(model.graph.name or "graph", "model", f"it uses opset {version}", supported, advice)
