"""Linear claims on committed values, in which every step of the protocol ends, and where values stand."""
