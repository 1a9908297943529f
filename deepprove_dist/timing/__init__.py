"""Where time goes: spans, recorded once; tables and traces are made of them."""

from deepprove_dist.timing.spans import Span, Trace, current_trace, recording, timed

__all__ = ["Span", "Trace", "current_trace", "recording", "timed"]
