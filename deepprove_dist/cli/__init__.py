"""The command line: `deepprove-dist`, one file for each command."""

from deepprove_dist.cli.app import main

__all__ = ["main"]
