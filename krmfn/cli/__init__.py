"""The command line: parse, call, print. The only place that knows click, and it is loaded only where it is used."""

from krmfn.cli.commands import main

__all__ = ["main"]
