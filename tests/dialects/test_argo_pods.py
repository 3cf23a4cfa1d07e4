"""Argo Rollouts: the number of pods of either side, for all rows of the controller's own tables.

A row that tells of a resting place is that place here. One that tells of a moment on the way is either a half-way
position, or the controller's next turn in a state that only a cluster has; then turn after turn leads to what is
written here.
"""

import json
from itertools import pairwise
from typing import Any

import pytest

from krmfn.dialects.argo.ratio import Ratio, counts
from krmfn.plan import Amount, Plan, locate
from krmfn.results import Refused
from krmfn.stage import STABLE, TARGET, Stage, divide
from tests.dialects.controller import Pods, State, Threshold, bounds, carries, ready, settled, turn
from tests.dialects.test_argo import plan
from tests.stories import FIXTURES

ROWS = json.loads((FIXTURES / "argo" / "replicas.json").read_text(encoding="utf-8"))
ROUTING = {"nginx": {"stableIngress": "rollouts-demo"}}
PAUSE: dict[str, Any] = {"pause": {}}


def rows(table: str) -> Any:
    """Return a decorator that gives a test each row of a table, by its columns."""
    names = [name.replace(" ", "_") for name in ROWS[table]["columns"]]
    return pytest.mark.parametrize("row", [dict(zip(names, row, strict=True)) for row in ROWS[table]["rows"]], ids=str)


def routed(weights: list[int], scale: dict[str, Any] | None = None, **canary: Any) -> Plan:
    """Return a plan that rests at each weight, scaled before the first of them."""
    steps = [{"setCanaryScale": scale}] if scale else []
    for weight in weights:
        steps += [{"setWeight": weight}, PAUSE]
    return plan(
        strategy__canary__steps=steps,
        strategy__canary__trafficRouting=ROUTING,
        **{f"strategy__canary__{key}": value for key, value in canary.items()},
    )


def at(found: Plan, position: str, total: int) -> Stage:
    """Return what stands at a position."""
    return divide(found, locate(position, found.rests), total)


def sides(stage: Stage) -> list[int]:
    """Return the pods of the canary and of the stable side."""
    return [stage.canary or 0, stage.stable]


def pods(pair: list[int] | None) -> Pods:
    """Return one side of a row; nothing where there is none."""
    return Pods(*(pair or (0, 0)))


def test_no_row_is_missing() -> None:
    """The tables of the controller have so many rows."""
    assert sum(len(table["rows"]) for name, table in ROWS.items() if name != "about") == 183


# Without a router -----------------------------------------------------------------------------------------------------


@rows("ratio")
def test_without_a_router_the_number_of_pods_approaches_the_weight(row: dict[str, int]) -> None:
    """Both sides count what they do under a controller."""
    amount = Ratio(row["weight"], surge=row["surge"] > 0)
    found = amount.of(row["replicas"]), amount.replace(stable=True).of(row["replicas"])
    assert found == (row["canary"], row["stable"])


def between(row: dict[str, Any]) -> State:
    """Return the state that a row begins with."""
    more, fewer = bounds(row["surge"], row["unavailable"], row["replicas"])
    most, least = row["replicas"] + more, row["replicas"] - min(fewer, row["replicas"])
    return State(pods(row["canary"]), pods(row["stable"]), row.get("older", 0), most, least)


@rows("turns")
def test_every_turn_of_the_controller_leads_to_what_is_written(row: dict[str, Any]) -> None:
    """The next turn is the recorded one, and the last one is where krmfn goes at once; it waits for the cluster."""
    state, weight = between(row), 100 if row["full"] else row["weight"]
    goal = counts(row["replicas"], weight, surge=state.most > row["replicas"])
    assert list(turn(state, *goal)) == row["then"]
    assert settled(state, *goal) == goal


@rows("as wanted")
def test_what_the_controller_takes_for_settled_is_settled(row: dict[str, Any]) -> None:
    """It goes on where both sides have the number of pods that krmfn writes, and the canary's serve."""
    canary, stable = counts(row["replicas"], row["weight"], surge=row["surge"] > 0)
    there = pods(row["stable"]).asked == stable == row["stable_there"]
    assert (ready(pods(row["canary"]), canary, None) and there) is row["as_wanted"]


@rows("held")
def test_the_pods_that_count_while_others_go(row: dict[str, Any]) -> None:
    """How the controller counts on the way does not change where it ends: both ways count pods that all serve alike."""
    side = pods(row["pods"])
    assert side.held(whether_or_not_serving=row["whether_or_not_serving"]) == row["held"]
    rested = Pods(side.asked, side.asked)
    assert rested.held(whether_or_not_serving=True) == rested.held(whether_or_not_serving=False) == side.asked


@rows("bounds")
def test_bounds_are_only_for_the_way(row: dict[str, Any]) -> None:
    """Of maxSurge and maxUnavailable a settled canary takes whether there may be a pod more, and nothing else."""
    if row["error"]:
        with pytest.raises(ValueError, match="invalid literal"):
            bounds(row["surge"], row["unavailable"], row["pods"])
        with pytest.raises(Refused, match="neither a number of pods nor a percentage of them"):
            basic(row)
        return
    assert list(bounds(row["surge"], row["unavailable"], row["pods"])) == row["then"]
    if row["surge"] is not None and row["surge"] != "0%":
        assert surges(basic(row)) is (row["then"][0] > 0)


def basic(row: dict[str, Any]) -> Plan:
    """Return the plan of a canary without a router, with the bounds of a row."""
    written = {"maxSurge": row["surge"], "maxUnavailable": row["unavailable"]}
    asked = {key: value for key, value in written.items() if value is not None}
    return plan(strategy__canary={"steps": [{"setWeight": 20}, PAUSE], **asked})


def surges(found: Plan) -> bool:
    """Tell whether the canary of a plan may have a pod more than there are."""
    amount = found.steps[0].pods
    assert isinstance(amount, Ratio)
    return amount.surge


@rows("surge")
def test_how_many_pods_more_there_may_be(row: dict[str, Any]) -> None:
    """The controller counts as it is modelled here; of blue-green krmfn takes no bound at all."""
    assert bounds(row["surge"], row["unavailable"], row["pods"] or 0)[0] == row["then"]
    if row["strategy"] == "canary":
        assert surges(basic(row)) is (row["then"] > 0)


@rows("unavailable")
def test_however_many_pods_may_be_missing_the_place_is_the_same(row: dict[str, Any]) -> None:
    """From all pods old to any weight the controller comes to rest at what is written, whatever may be missing."""
    total = row["pods"] or 0
    more, fewer = bounds(row["surge"], row["unavailable"], total)
    # Blue-green has no such bound: the field that it has is for restarts.
    assert row["then"] == (min(fewer, total) if row["strategy"] == "canary" else 0)
    for weight in range(0, 101, 5):
        goal = counts(total, weight, surge=more > 0)
        begin = State(Pods(0, 0), Pods(total, total), 0, total + more, total - min(fewer, total))
        assert settled(begin, *goal) == goal


# Behind a router ------------------------------------------------------------------------------------------------------


@rows("share")
def test_behind_a_router_the_canary_has_its_share(row: dict[str, int]) -> None:
    """The canary's pods are its share of all of them, rounded up."""
    assert Amount(row["weight"] * 100 // row["all"], percent=True).of(row["replicas"]) == row["canary"]


@rows("routed")
def test_behind_a_router_a_step_says_how_many(row: dict[str, Any]) -> None:
    """A scale counts in its three forms, a least number lifts, and an abort ends without canary pods."""
    # After an abort the controller keeps the canary for a while (a delay of 0: for good); that is between shift and
    # drain here, and how long is up to who commits. A full promotion is the way to the last step.
    least = {"minPodsPerReplicaSet": row["least"]} if row["least"] else {}
    found = routed([row["weight"]], row["scale"], **least)
    kept = {None: "1", 0: "1>0/shift"}.get(row["aborted"], "1>0/drain")
    assert sides(at(found, kept, row["replicas"])) == row["then"]
    assert sides(at(found, "0", row["replicas"])) == [0, row["replicas"]]


def between_weights(row: dict[str, Any]) -> tuple[Plan, str]:
    """Return the plan of a row, and the half-way position at which requests are still as the row has them."""
    if not row["aborted"] and row["weights"] != [row["requests"]]:
        return routed([row["requests"], *row["weights"]], dynamicStableScale=True), "1>2/scale"
    if not row["aborted"]:
        return routed(row["weights"], dynamicStableScale=True), "1"
    # Back to the next smaller weight, as long as the controller knows of pods; straight to nobody where it does not.
    weights = [*(w for w in row["weights"] if w < row["requests"]), row["requests"]]
    last = len(weights)
    down = last - 1 if row["canary"] else 0
    return routed(weights, dynamicStableScale=True), f"{last}>{down}/scale"


@rows("dynamic")
def test_a_stable_side_that_gives_up_pods_gets_them_back_before_its_requests(row: dict[str, Any]) -> None:
    """What the controller asks for on its way is a half-way position, and an abort ends with all pods stable."""
    found, position = between_weights(row)
    assert sides(at(found, position, 10)) == row["then"]
    assert sides(at(found, "0", 10)) == [0, 10]


@rows("aborted")
def test_an_abort_takes_the_weights_back_one_by_one(row: dict[str, Any]) -> None:
    """The controller goes down as far as the stable side can serve; in Git these are the ways back to 1 and to 0."""
    found = routed(row["weights"], dynamicStableScale=True)
    shifted = at(found, "2>1/shift" if row["weight"] else "2>0/shift", 10)
    assert shifted.traffic is not None
    assert shifted.traffic.weight == row["weight"]
    # The stable side has the pods for its share before it gets it, which is what the controller waits for.
    assert shifted.stable >= 10 - row["weight"] // 10
    assert (at(found, "0", 10).traffic, sides(at(found, "0", 10))) == (None, [0, 10])


@rows("aborted stable")
def test_an_abort_ends_with_all_pods_stable(row: dict[str, Any]) -> None:
    """The stable side gets all of its pods back while the canary still has requests."""
    found = routed(row["weights"], dynamicStableScale=True)
    assert at(found, "1>0/scale", 10).stable == at(found, "0", 10).stable == row["then_stable"]


@rows("single")
def test_where_there_is_one_version_it_has_all_pods(row: dict[str, Any]) -> None:
    """Steps are for two versions; before the first release and after the last step there is one."""
    found = routed([row["weight"]])
    if row["versions"] > 1:
        assert sides(at(found, "1", row["replicas"])) == row["then"]
        return
    whole = at(found, "complete", row["replicas"])
    assert ([whole.stable, whole.canary or 0], whole.template) == (row["then"], TARGET)


# Weights --------------------------------------------------------------------------------------------------------------


@rows("weight")
def test_the_weight_is_the_one_of_the_step(row: dict[str, Any]) -> None:
    """Before the last step it is that step's; behind it everybody gets the new version; after an abort nobody does."""
    found = routed(row["weights"])
    if row["index"] == len(row["weights"]):
        assert [at(found, rest, 10).template for rest in ("promote", "finalise", "complete")] == [TARGET] * 3
        return
    shown = at(found, "1>0/shift" if row["aborted"] else str(row["index"] + 1), 10)
    assert shown.traffic is not None
    assert (shown.traffic.weight, shown.template) == (row["weight"], STABLE)


@rows("pods or weight")
def test_a_scale_is_of_pods_or_of_a_weight(row: dict[str, Any]) -> None:
    """A scale that was set last counts; a full promotion, and a single version, are the new version for everybody."""
    if not row["steps"]:
        assert at(routed([10]), "complete", 10).template == TARGET
        return
    (step,) = plan(strategy__canary__steps=[*row["steps"], PAUSE], strategy__canary__trafficRouting=ROUTING).steps
    asked = Amount(row["pods"] or row["weight"], percent=row["pods"] is None, beyond=True)
    assert step.pods == asked


# Blue-green -----------------------------------------------------------------------------------------------------------


@rows("preview")
def test_a_preview_is_smaller_until_it_is_promoted(row: dict[str, Any]) -> None:
    """While the active version is another one the preview has its own number of pods, and then as many as that."""
    found = plan(strategy={"blueGreen": {"activeService": "a", "previewReplicaCount": row["preview"]}})
    only = row["active"] in ("", row["new"])
    promoted = row["full"] or (row["checkpoint"] and row["current"] == row["new"])
    stage = at(found, "complete" if only else "2" if promoted else "1", row["replicas"])
    assert (stage.stable if only else stage.canary) == row["then"]


# What the next commit waits for ---------------------------------------------------------------------------------------


def threshold(pair: list[Any] | None) -> Threshold | None:
    """Return the threshold of a row."""
    return Threshold(*pair) if pair else None


@rows("threshold")
def test_what_a_plan_waits_for_is_enough_for_any_threshold(row: dict[str, Any]) -> None:
    """A replicaProgressThreshold lets the controller go on earlier; a plan waits until all pods serve, which does."""
    wanted = row["wanted"]
    assert ready(of_cluster(row["pods"]), wanted, threshold(row["threshold"])) is row["ready"]
    assert ready(Pods(wanted, wanted), wanted, threshold(row["threshold"]))


def of_cluster(pair: list[Any] | None) -> Pods:
    """Return one side of a row; one pod is asked for where nothing is written, as everywhere in Kubernetes."""
    asked, serving = pair or (None, 0)
    return Pods(1 if asked is None else asked, serving)


@rows("available")
def test_what_a_plan_waits_for_is_that_all_serve(row: dict[str, Any]) -> None:
    """The controller goes on where all pods that are wanted serve, and so does a plan."""
    assert ready(of_cluster(row["pods"]), row["wanted"], None) is row["available"]
    assert ready(Pods(row["wanted"], row["wanted"]), row["wanted"], None)


@rows("carries")
def test_a_side_that_is_ready_can_serve_its_share(row: dict[str, Any]) -> None:
    """The controller moves requests once a side can serve them; what a plan waits for is no less."""
    share, limit = (row["weight"], row["all"], row["replicas"]), threshold(row["threshold"])
    assert carries(pods(row["pods"]), share, limit) is row["carries"]
    full = Amount(row["weight"] * 100 // row["all"], percent=True).of(row["replicas"])
    assert carries(Pods(full, full), share, limit)


def test_a_ratio_grows_with_its_weight() -> None:
    """Where a pod more is allowed, a larger weight never means a smaller part."""
    for total in range(1, 30):
        found = [counts(total, weight, surge=True) for weight in range(101)]
        assert all(a[0] / sum(a) <= b[0] / sum(b) for a, b in pairwise(found))
