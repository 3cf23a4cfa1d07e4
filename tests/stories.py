"""Stories: an input, what is asked for, and one expected file per frame; a film strip of a release.

    fixtures/<dialect>/<story>/
      story.yaml      about (one sentence), config (the spec of a RolloutStep), frames
      app.yaml, …     the package, as its author wrote it
      NN-<position>   what stands in Git after that frame: every file of the package, one after the other
      results.txt     what was said, frame by frame

The frames are rendered in place, each from the one before, as kpt does it. A frame may first edit a file (``edit``:
file, find, replace) as a person or a bot would.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from krmfn import krm
from krmfn.config import parse
from krmfn.function import Rendered, render
from krmfn.krm import Package

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Frame:
    """One rendering: its own words on top of the story's config, and the edits that come before."""

    position: str
    config: dict[str, Any] = field(default_factory=dict)
    edits: tuple[dict[str, str], ...] = ()
    fails: bool = False


@dataclass(frozen=True)
class Story:
    """One folder."""

    folder: Path
    about: str
    config: dict[str, Any]
    frames: tuple[Frame, ...]

    @property
    def files(self) -> Files:
        """Return the package as its author wrote it."""
        names = [p for p in sorted(self.folder.iterdir()) if p.suffix == ".yaml" and p.name != "story.yaml"]
        return {p.name: p.read_bytes() for p in names}


def story(folder: Path) -> Story:
    """Read a story."""
    told = yaml.safe_load((folder / "story.yaml").read_text(encoding="utf-8"))
    frames = tuple(_frame(entry) for entry in told["frames"])
    return Story(folder, told["about"], told.get("config") or {}, frames)


def _frame(entry: Any) -> Frame:
    if not isinstance(entry, dict):
        return Frame(str(entry))
    own = {k: v for k, v in entry.items() if k not in ("edit", "fails")}
    return Frame(str(entry["step"]), own, tuple(entry.get("edit") or ()), entry.get("fails", False))


def rendered(files: Files, spec: dict[str, Any]) -> tuple[Files, Rendered]:
    """Render a package in place: the files afterwards (the same ones when it failed) and what was said."""
    package = krm.read_files(files.items())
    outcome = render(package, config(spec))
    return (files if outcome.failed else written(package, outcome, files)), outcome


def written(package: Package, outcome: Rendered, files: Files) -> Files:
    """Return the files of a package after a rendering."""
    after = files | krm.write_files(package, outcome.changes)
    return {name: data for name, data in after.items() if data is not None}


def config(spec: dict[str, Any]) -> Any:
    """Return the Config of a RolloutStep's spec."""
    return parse({"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "spec": spec})


def edited(files: Files, edits: tuple[dict[str, str], ...]) -> Files:
    """Return the files after a person's edits; each has to find its text exactly once."""
    for edit in edits:
        before = files[edit["file"]].decode()
        assert before.count(edit["find"]) == 1, f"{edit['find']!r} stands {before.count(edit['find'])} times"
        files = files | {edit["file"]: before.replace(edit["find"], edit["replace"]).encode()}
    return files


def play(told: Story) -> list[tuple[Frame, Files, Rendered]]:
    """Render every frame from the one before."""
    files, shown = told.files, []
    for frame in told.frames:
        files = edited(files, frame.edits)
        files, outcome = rendered(files, told.config | {"step": frame.position} | frame.config)
        shown.append((frame, files, outcome))
    return shown


def picture(files: Files) -> str:
    """Return all files of a package as one text."""
    return "".join(f"#### {name}\n{data.decode()}" for name, data in sorted(files.items()))
