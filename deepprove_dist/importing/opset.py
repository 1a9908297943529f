"""Bringing a model of an older opset to the one that rules begin at, by onnx's own version converter."""

import onnx
from onnx import helper, numpy_helper, version_converter

from deepprove_dist.errors import Problem
from deepprove_dist.importing.rewriting.standard import NATIVE_OPSET, OLDEST_OPSET, STANDARD


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
        return _with_old_positions(version_converter.convert_version(model, NATIVE_OPSET)), ()
    except Exception:  # The converter raises errors of any type, in words of its own inner checks.
        advice = f"export the model with opset {NATIVE_OPSET} or newer: onnx's version converter fails on it"
        return model, (_problem(model, versions[0], advice),)


def _with_old_positions(model: onnx.ModelProto) -> onnx.ModelProto:
    """The converted model, which says where resized positions lie: before opset 11 they were asymmetric.

    The converter leaves them to the defaults, which are others since.
    """
    for node in model.graph.node:
        stated = {attribute.name: attribute for attribute in node.attribute}
        if node.op_type == "Resize" and "coordinate_transformation_mode" not in stated:
            node.attribute.append(helper.make_attribute("coordinate_transformation_mode", "asymmetric"))
            if "nearest_mode" not in stated:
                node.attribute.append(helper.make_attribute("nearest_mode", _old_rounding(model, node)))
    return model


def _old_rounding(model: onnx.ModelProto, node: onnx.NodeProto) -> str:
    """How onnxruntime rounds positions of an old Resize: down, or up where it makes axes smaller."""
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    constants = (other for other in model.graph.node if other.op_type == "Constant")
    values |= {other.output[0]: other.attribute[0].t for other in constants}
    if node.input[2] not in values:
        return "floor"
    scales = numpy_helper.to_array(values[node.input[2]])
    if (scales < 1).any() and (scales > 1).any():
        # No mode of today rounds some axes up and others down; rules refuse this word.
        return "floor or ceil"
    return "ceil" if (scales < 1).any() else "floor"


def _problem(model: onnx.ModelProto, version: int, advice: str) -> Problem:
    oldest, newest = readable_opsets()
    supported = f"opsets {oldest} to {newest}"
    return Problem(model.graph.name or "graph", "model", f"it uses opset {version}", supported, advice)
