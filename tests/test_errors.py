"""Bad input: each mistake has its own message, and nothing is ever half rendered.

fixtures/errors/<mistake>/case.yaml   about, config (the spec of a RolloutStep), and edits of the echoserver example,
                                      or the whole of its app.yaml (alone: and without its rollout)
                                      or of the story that it names (``of``)
fixtures/errors/<mistake>/says.txt    what is said, a line each
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from krmfn import krm
from krmfn.errors import KrmfnError
from krmfn.function import render
from krmfn.results import errors
from tests.stories import FIXTURES, ROOT, Files, config, edited, story

CASES = sorted(path.parent for path in FIXTURES.glob("errors/*/case.yaml"))
EXAMPLE = ROOT / "kustomize-examples" / "echoserver"


def told(case: Path) -> tuple[Files, list[str]]:
    """Render a case; return its files and what was said about them."""
    given = yaml.safe_load((case / "case.yaml").read_text(encoding="utf-8"))
    files = {name: (EXAMPLE / name).read_bytes() for name in ("app.yaml", "rollout.yaml")}
    if "of" in given:
        files = story(FIXTURES / given["of"]).files
    files = edited(files, given.get("edit") or ())
    if "whole" in given:
        files["app.yaml"] = given["whole"].encode()
    if given.get("alone"):
        del files["rollout.yaml"]
    try:
        outcome = render(krm.read_files(files.items()), config(given["config"]))
    except KrmfnError as problem:
        return files, [result.line() for result in errors(problem)]
    assert outcome.failed, f"{case.name} was rendered"
    assert outcome.changes == {}
    return files, [result.line() for result in outcome.results]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_told_in_its_own_words(case: Path, golden: Callable[[Path, str], None]) -> None:
    """The message is the one that was written down, and every line of it is an error."""
    _, lines = told(case)
    assert all(line.startswith("error: ") for line in lines)
    golden(case / "says.txt", "".join(f"{line}\n" for line in lines))


def test_no_two_mistakes_share_a_message() -> None:
    """A person can tell from the message alone which mistake it is."""
    texts = [(case / "says.txt").read_text(encoding="utf-8") for case in CASES]
    assert len(texts) == len(set(texts))
