"""Resize and Upsample of opsets before 11, once they are converted: where their positions lie, and how these
are rounded.
"""

import onnx
from onnx import helper, numpy_helper


def with_old_positions(model: onnx.ModelProto) -> onnx.ModelProto:
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
