"""From a float graph to an integer model: calibration, choice of scales and shifts, scoring."""
