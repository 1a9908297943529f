"""Tests of the parameters, the soundness account and the cost model."""
