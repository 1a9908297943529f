"""What expansions are written with: they read ONNX nodes, and write the ONNX nodes that take their place.

Some modules change the nodes of a whole model, for which no expansion is asked: pads, outputs, old positions.
"""
