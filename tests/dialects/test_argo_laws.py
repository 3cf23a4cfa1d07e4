"""Argo Rollouts and Flagger: the laws of the design hold for every story, whatever router it is about."""

from itertools import pairwise, takewhile
from pathlib import Path

import pytest

from krmfn import krm
from krmfn.function import Rendered
from krmfn.plan import Plan
from krmfn.stage import timeline
from tests.stories import FIXTURES, Files, Story, rendered, story

STORIES = sorted(path.parent for dialect in ("argo", "flagger") for path in FIXTURES.glob(f"{dialect}/*/story.yaml"))
# What the version of a release is in.
VERSIONS = ("Deployment", "DaemonSet", "Rollout", "ConfigMap", "Secret", "RolloutState")
KNATIVE = "serving.knative.dev"


def released(told: Story) -> Files:
    """Return the package of a story with the edits of its first release, as if that had been written at once."""
    files, _ = at(told, told.files, "0")
    for frame in takewhile(lambda frame: frame.position != "complete", told.frames):
        for edit in frame.edits:
            files[edit["file"]] = files[edit["file"]].replace(edit["find"].encode(), edit["replace"].encode())
    return at(told, files, "0")[0]


def at(told: Story, files: Files, position: str) -> tuple[Files, Rendered]:
    """Render and insist that it can be done."""
    after, outcome = rendered(files, told.config | {"step": position})
    assert not outcome.failed, (position, [result.line() for result in outcome.results])
    return after, outcome


def positions(plan: Plan, total: int) -> list[str]:
    """Return every commit of a release, and the ways back from each step."""
    back = [f"{rest}>0/{half}" for rest in plan.rests[1:-3] for half in ("scale", "shift", "drain")]
    return [*(str(position) for position in timeline(plan, total)), *back]


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_a_stage_looks_the_same_whatever_was_rendered_before_it(folder: Path) -> None:
    """Rendering is idempotent, and forgets every other position of the release."""
    told = story(folder)
    files = released(told)
    _, outcome = at(told, files, "0")
    (view,) = outcome.views
    found = [place for place in positions(view.plan, view.total) if place != "complete"]
    plain = {place: at(told, files, place)[0] for place in found}
    for before, after in [*pairwise(found[::-1]), *pairwise(found[::3] + found[1::3] + found[2::3])]:
        assert at(told, plain[before], after)[0] == plain[after], (before, after)
        assert at(told, plain[after], after)[0] == plain[after], after


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_what_is_left_at_the_end_is_what_was_there_at_the_beginning(folder: Path) -> None:
    """But for the version, nothing of a release is left after it."""
    told = story(folder)
    files = released(told)
    before, outcome = at(told, files, "0")
    (view,) = outcome.views
    after = before
    for place in view.plan.rests[1:]:
        after, _ = at(told, after, place)
    kinds = [sorted((i.ref.kind, i.ref.name) for i in krm.read_files(files.items()).items) for files in (before, after)]
    assert kinds[0] == kinds[1]
    for old, new in zip(*(krm.read_files(files.items()).items for files in (before, after)), strict=True):
        if old.ref.kind not in VERSIONS and old.ref.group != KNATIVE:
            assert old.value == new.value
