"""From an ONNX file to the float graph that quantisation reads."""
