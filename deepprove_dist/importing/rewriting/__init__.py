"""What the rules of ONNX operators are written with: they read ONNX nodes and add float nodes."""
