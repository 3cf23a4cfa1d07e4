"""One position of a plan, worked out: the table of the timeline, and the rule between any two of its stages."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.kinds import PARTITION, REVISIONS, TWIN
from krmfn.krm.item import Ref
from krmfn.plan import DRAIN, PROMOTE, SCALE, SHIFT, Amount, Gate, Plan, Position, Step, Traffic, locate
from krmfn.stage import between, divide, skipped, timeline

REF = Ref("apps/v1", "Deployment", "", "web")


def planned(*shares: tuple[int, int | None], style: str = TWIN) -> Plan:
    """Return a plan of (percent of pods, weight) for each step."""
    steps = (Step(Amount(pods, percent=True), Traffic(weight), Gate(), "x") for pods, weight in shares)
    return Plan(REF, REF, "spec.workloadRef", style, tuple(steps))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan: pods that grow, weights in any order, some steps without a rule."""
    pods = sorted(draw(st.lists(st.integers(1, 100), min_size=1, max_size=4)))
    weights = [draw(st.none() | st.integers(1, 100)) for _ in pods]
    return planned(*zip(pods, weights, strict=True), style=draw(st.sampled_from((TWIN, PARTITION))))


@st.composite
def revisions(draw: st.DrawFn) -> Plan:
    """Draw a plan of an object that keeps its revisions: each is all there, and requests have weights."""
    weights = draw(st.lists(st.integers(0, 100), min_size=1, max_size=4))
    return planned(*((100, weight) for weight in weights), style=REVISIONS)


def pairs(plan: Plan) -> list[tuple[str, str]]:
    """Return every edge between two resting stages."""
    return [(start, end) for start in plan.rests for end in plan.rests if start != end]


FIVE = planned((20, 5), (40, 40), (100, 100))
TIMELINE = """\
0          stable  10  -    -     -
0>1/scale  stable  10  2    0     pinned
1          stable  10  2    5     pinned
1>2/scale  stable  10  4    5     pinned
2          stable  10  4    40    pinned
2>3/scale  stable  10  10   40    pinned
3          stable  10  10   100   pinned
promote    target  10  10   100   -
finalise   target  10  10   0     -
complete   target  10  -    -     -
"""


REVISED = """\
0          stable  1   -    -     -
0>1/scale  target  1   1    0     pinned
1          target  1   1    10    pinned
2          target  1   1    100   pinned
promote    target  1   -    0     -
finalise   target  1   -    0     -
complete   target  1   -    -     -
"""
BACK = """\
promote    target  1   -    0     -
promote>0/scale stable  1   1    100   pinned
promote>0/shift stable  1   0    0     pinned
0          stable  1   -    -     -
"""


def line(plan: Plan, position: Position, total: int) -> str:
    """Write a stage as a line of a table."""
    stage = divide(plan, position, total)
    weight = "-" if stage.traffic is None else stage.traffic.weight
    canary = "-" if stage.canary is None else stage.canary
    pinned = "pinned" if stage.pinned else "-"
    return f"{position!s:10} {stage.template:7} {stage.stable:<3} {canary:<4} {weight:<5} {pinned}\n"


def test_the_timeline_is_that_of_the_design() -> None:
    """Growing is pods, then traffic; promote changes the stable workload and lets go of the pins."""
    assert "".join(line(FIVE, position, 10) for position in timeline(FIVE, 10)) == TIMELINE


def test_an_object_that_keeps_its_revisions_has_both_until_promote() -> None:
    """The new one is there before requests go to it, and so is the old one on the way back."""
    plan = planned((100, 10), (100, 100), style=REVISIONS)
    rests = Position("promote", "promote"), Position("0", "0")
    assert "".join(line(plan, position, 1) for position in timeline(plan, 1)) == REVISED
    back = [rests[0], *between(plan, "promote", "0", 1), rests[1]]
    assert "".join(line(plan, position, 1) for position in back) == BACK


@given(plans(), st.integers(1, 20))
def test_between_two_stages_no_request_meets_a_side_without_pods(plan: Plan, total: int) -> None:
    """At every half-way position who gets requests has the pods that either end gives it."""
    for start, end in pairs(plan):
        ends = [divide(plan, Position(rest, rest), total) for rest in (start, end)]
        for half in (SCALE, SHIFT):
            stage = divide(plan, Position(start, end, half), total)
            shown = ends[half == SHIFT]
            assert (stage.canary or 0) >= max(one.canary or 0 for one in ends)
            assert (shown.traffic.weight if shown.traffic else 0) == (stage.traffic.weight if stage.traffic else 0)
            if plan.style == TWIN:
                assert stage.stable >= max(one.stable for one in ends)
            else:
                assert stage.stable + (stage.canary or 0) == total


@given(plans() | revisions(), st.integers(1, 20))
def test_withdrawing_is_requests_then_pods(plan: Plan, total: int) -> None:
    """On the way to 0 nobody is sent to the canary before its pods go, and the drain has none."""
    for start in plan.rests[1:]:
        shift, drain = (divide(plan, Position(start, "0", half), total) for half in (SHIFT, DRAIN))
        assert not (shift.traffic and (shift.traffic.weight or shift.traffic.matches))
        assert (0, total) == (drain.canary, drain.stable)


@given(plans() | revisions(), st.integers(1, 20))
def test_positions_that_change_nothing_are_left_out_and_still_known(plan: Plan, total: int) -> None:
    """No half-way position that is listed equals its neighbour, and every one can be asked for."""
    for start, end in pairs(plan):
        listed = [divide(plan, position, total) for position in between(plan, start, end, total)]
        around = [divide(plan, Position(start, start), total), *listed, divide(plan, Position(end, end), total)]
        assert all(before != after for before, after in pairwise(around)) or not listed
        assert str(locate(f"{start}>{end}/scale", plan.rests)) == f"{start}>{end}/scale"


@given(plans() | revisions(), st.integers(1, 20))
def test_going_step_by_step_skips_nothing(plan: Plan, total: int) -> None:
    """Each commit of the timeline is an edge, and so is staying; leaving some out names exactly those."""
    path = list(timeline(plan, total))
    for here, there in pairwise(path):
        assert [] == skipped(plan, here, there, total)
        assert [] == skipped(plan, here, here, total)
    ahead = between(plan, "0", "1", total)
    assert ahead == skipped(plan, Position("0", "0"), Position("1", "1"), total)


@given(plans() | revisions(), st.integers(2, 20))
def test_a_half_way_stage_counts_as_the_one_that_looks_like_it(plan: Plan, total: int) -> None:
    """Where a commit of an edge is left out since it equals the one before, being at either is the same."""
    for start, end in pairwise(plan.rests):
        for half in (SCALE, SHIFT):
            left = skipped(plan, Position(start, end, half), Position(end, end), total)
            assert left == between(plan, start, end, total)[len(between(plan, start, end, total)) - len(left) :]
            assert half != SHIFT or left == []


@given(plans() | revisions(), st.integers(1, 20))
def test_a_new_release_begins_where_the_stable_side_has_its_pods(plan: Plan, total: int) -> None:
    """From promote on it has none, so the way back is named; within one object there is another warning for that."""
    first, back = Position("0", "1", SCALE), between(plan, PROMOTE, "0", total)
    assert (back if plan.style != PARTITION else []) == skipped(plan, Position(PROMOTE, PROMOTE), first, total)
    assert [] == skipped(plan, back[0], first, total)


def test_a_new_release_begins_where_no_pod_of_the_stable_side_has_left() -> None:
    """Where it has given up pods for those of the canary, it needs them back before it gets all requests."""
    shares, first = FIVE.replace(shares=True), Position("0", "1", SCALE)
    assert [] == skipped(FIVE, Position("2", "2"), first, 10)
    assert between(shares, "2", "0", 10) == skipped(shares, Position("2", "2"), first, 10)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("2", "2"),
        (" promote ", "promote"),
        ("2/scale", "1>2/scale"),
        ("1>0/drain", "1>0/drain"),
        ("3>1/shift", "3>1/shift"),
    ],
)
def test_positions_are_read_as_people_write_them(text: str, position: str) -> None:
    """Blanks do not count, and ``2/scale`` is short for ``1>2/scale``."""
    assert position == str(locate(text, FIVE.rests))


@pytest.mark.parametrize(
    "text", ["", "4", "-1", "1.0", "promte", "0/scale", "promote/scale", "1>1/scale", "1>2/drain", "2>9/scale", "1>2"]
)
def test_anything_else_lists_what_there_is(text: str) -> None:
    """A position that is none is an error, and never the nearest one."""
    with pytest.raises(KrmfnError, match=r"there is no position .*; valid are 0 to 3, promote, finalise, complete"):
        locate(text, FIVE.rests)


def test_requests_to_a_side_without_pods_are_an_error() -> None:
    """No share of nothing is a pod."""
    with pytest.raises(KrmfnError, match=r"sends requests to the canary, which has no pods \(a share of 0 replicas\)"):
        divide(FIVE, Position("1", "1"), 0)


def test_a_share_is_rounded_up_and_never_more_than_all() -> None:
    """One percent of ten is a pod, and twelve of ten are ten."""
    assert [1, 4, 10, 10, 3] == [
        amount.of(10)
        for amount in (Amount(1, True), Amount(31, True), Amount(100, True), Amount(12), Amount(3))  # noqa: FBT003
    ]
