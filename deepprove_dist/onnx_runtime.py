"""onnxruntime, without what it would tell its makers.

From 1.32 on it keeps an identifier of the machine in the user's cache, and sends events. It reads the
variable once, as it is imported. So everything in this package imports it from here.
"""

import os

# Who sets the variable decides.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime"]
