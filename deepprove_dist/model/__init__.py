"""Exact integer models: what is proven, free of any dependency on ONNX."""
