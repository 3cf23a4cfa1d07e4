"""Moves: an input, and one expected file per commit of moving over.

fixtures/<dialect>/adopt-<move>/
  move.yaml       about (one sentence), config (the spec of a RolloutStep)
  app.yaml, …     the package, as it stands while the controller runs it
  sequence.txt    what `krmfn adopt` prints
  1, 2, …         what stands in Git after that commit: every file of the package, one after the other
  K-client-side   the same for hosts that apply on the client's side, where that is something else
"""

from pathlib import Path
from typing import Any

import yaml

from krmfn import krm
from krmfn.moving import Moving
from tests.stories import FIXTURES, Files, config

MOVES = sorted(path.parent for path in FIXTURES.glob("*/adopt-*/move.yaml"))


def package(folder: Path) -> Files:
    """Return the package of a move."""
    names = [p for p in sorted(folder.iterdir()) if p.suffix == ".yaml" and p.name not in ("move.yaml", "story.yaml")]
    return {p.name: p.read_bytes() for p in names}


def asked(folder: Path) -> dict[str, Any]:
    """Return what is asked for, as the spec of a RolloutStep."""
    return yaml.safe_load((folder / "move.yaml").read_text(encoding="utf-8")).get("config") or {}


def moving(files: Files, spec: dict[str, Any] | None = None, *, client_side: bool = False) -> Moving:
    """Return a package on its way."""
    return Moving(krm.read_files(files.items()), config(spec or {}), client_side=client_side)
