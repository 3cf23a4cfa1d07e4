"""Every story in fixtures/ is told as it was written down."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories import FIXTURES, picture, play, story

STORIES = sorted(path.parent for path in FIXTURES.glob("*/*/story.yaml"))


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_story_is_told_frame_by_frame(folder: Path, golden: Callable[[Path, str], None]) -> None:
    """Each frame leaves the files and says the words that the story's folder holds."""
    said = []
    names = set()
    for number, (frame, files, outcome) in enumerate(play(story(folder))):
        name = f"{number:02}-{frame.position.replace('/', '-').replace('>', '_')}"
        said.append(f"{name}\n" + "".join(f"  {result.line()}\n" for result in outcome.results))
        assert outcome.failed is frame.fails, said[-1]
        names.add(name)
        golden(folder / name, picture(files))
    golden(folder / "results.txt", "".join(said))
    assert names == {p.name for p in folder.iterdir() if p.suffix == "" and p.name[:2].isdigit()}
