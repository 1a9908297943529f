"""Operators of models that are quantised already, of the standard and of onnxruntime."""

from deepprove_dist.importing.rewriting.rule import Refusal

REFUSALS = tuple(
    Refusal(
        operator,
        "the model is quantised already",
        "float models",
        "give the float model that this one was quantised from: setup quantises it",
    )
    for operator in (
        "ConvInteger",
        "DequantizeLinear",
        "DynamicQuantizeLSTM",
        "DynamicQuantizeLinear",
        "DynamicQuantizeMatMul",
        "MatMulInteger",
        "MatMulIntegerToFloat",
        "QAttention",
        "QGemm",
        "QLinearAdd",
        "QLinearAveragePool",
        "QLinearConcat",
        "QLinearConv",
        "QLinearGlobalAveragePool",
        "QLinearLeakyRelu",
        "QLinearMatMul",
        "QLinearMul",
        "QLinearReduceMean",
        "QLinearSigmoid",
        "QLinearSoftmax",
        "QLinearWhere",
        "QuantizeLinear",
    )
)
