"""The laws of the design, on generated packages and positions."""

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn import krm
from tests.packages import Made, packages, positions
from tests.stories import Files, rendered

EXAMPLES = int(os.environ.get("KRMFN_LAWS", "0")) or (2000 if os.environ.get("CI") else 200)
CANARY = "nginx.ingress.kubernetes.io/canary-weight"


def at(made: Made, files: Files, position: str) -> Files:
    """Render and insist that it can be done."""
    after, outcome = rendered(files, made.spec | {"step": position})
    assert not outcome.failed, [result.line() for result in outcome.results]
    return after


def objects(files: Files) -> dict[tuple[str, str], Any]:
    """Return the objects of a package by kind and name."""
    items = krm.read_files(files.items()).items
    return {(item.ref.kind, item.ref.name): item.value for item in items}


def old_pods(made: Made, spec: dict[str, Any]) -> int:
    """Return how many pods a workload that is moved in place keeps on the old version, as its controller reads it."""
    place = spec["updateStrategy"]
    place = place.get("rollingUpdate", place)
    border = place["partition"]
    return border if isinstance(border, int) else -(-int(border[:-1]) * made.replicas // 100)


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_stage_looks_the_same_whatever_was_rendered_before_it(data: st.DataObject) -> None:
    """Rendering is idempotent, and forgets every other position: the same bytes, for all positions of a release."""
    made = data.draw(packages())
    a, b = data.draw(positions(made.rests)), data.draw(positions(made.rests))
    at_a, at_b = at(made, made.files, a), at(made, made.files, b)
    assert at(made, at_a, a) == at_a
    assert at(made, at_a, b) == at_b


@settings(max_examples=EXAMPLES // 4)
@given(st.data())
def test_after_complete_only_the_author_s_package_is_left(data: st.DataObject) -> None:
    """What stands there then is the author's at the new version, the state, and nothing of the canary."""
    made = data.draw(packages())
    before = objects(made.files)
    after = objects(at(made, at(made, made.files, data.draw(positions(made.rests))), "complete"))
    assert set(after) == {*before, ("RolloutState", "krmfn-state")}
    for (kind, name), value in before.items():
        if kind not in ("Rollout", "TrafficRouting", made.style.kind):
            assert value == after[kind, name]
    container = after[made.style.kind, made.name]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "shop/main:2.0"


# What a person may put in front of the rules of a route, by kind: nobody's at this Service.
ELSEWHERE: dict[str, tuple[str, dict[str, Any]]] = {
    "HTTPRoute": (
        "rules",
        {
            "matches": [{"path": {"type": "Exact", "value": "/status"}}],
            "backendRefs": [{"name": "status", "port": 80}],
        },
    ),
    "GRPCRoute": (
        "rules",
        {"matches": [{"method": {"service": "shop.Status"}}], "backendRefs": [{"name": "status", "port": 80}]},
    ),
    "VirtualService": (
        "http",
        {"match": [{"uri": {"exact": "/status"}}], "route": [{"destination": {"host": "status"}}]},
    ),
}


def edited(files: Files) -> Files:
    """Put a rule in front of those of every route, as a person would."""
    package, changes = krm.read_files(files.items()), {}
    for item in package.items:
        if item.ref.kind in ELSEWHERE:
            key, rule = ELSEWHERE[item.ref.kind]
            spec = item.value["spec"]
            changes[item.mark] = (item.edited(item.value | {"spec": spec | {key: [rule, *spec[key]]}}),)
    return {name: data for name, data in (files | krm.write_files(package, changes)).items() if data is not None}


@settings(max_examples=EXAMPLES // 4)
@given(st.data())
def test_a_rule_that_a_person_adds_in_the_middle_is_the_author_s(data: st.DataObject) -> None:
    """Whenever it was added, it looks as if it had been there from the beginning."""
    made = data.draw(packages().filter(lambda made: any(router.kind in ELSEWHERE for router in made.routers)))
    a, b = data.draw(positions(made.rests)), data.draw(positions(made.rests))
    late, early = at(made, edited(at(made, made.files, a)), b), at(made, edited(made.files), b)
    for key, value in objects(early).items():
        assert key == ("RolloutState", "krmfn-state") or value == objects(late)[key]


def pods(found: dict[tuple[str, str], Any], kind: str, name: str) -> int:
    """Return how many pods a workload gets: its own word, else the least that its autoscaler says."""
    spec = found[kind, name]["spec"]
    owner = found.get(("HorizontalPodAutoscaler", name), found.get(("ScaledObject", name)))
    if owner is None or ("replicas" in spec and name.endswith("-canary")):
        return int(spec["replicas"])
    return int(owner["spec"].get("minReplicas", owner["spec"].get("minReplicaCount")))


def selects(found: dict[tuple[str, str], Any], service: str, workload: dict[str, Any]) -> bool:
    """Tell whether a Service selects the pods of a workload."""
    labels = workload["template"]["metadata"]["labels"]
    return bool(found["Service", service]["spec"]["selector"].items() <= labels.items())


@settings(max_examples=EXAMPLES // 4)
@given(st.data())
def test_every_step_has_the_pods_and_the_weight_that_its_author_asked_for(data: st.DataObject) -> None:
    """The canary's pods, its Ingress and both Services say what the step says; no Service selects the wrong side."""
    made = data.draw(packages())
    number = data.draw(st.integers(1, len(made.steps)))
    step, found = made.steps[number - 1], objects(at(made, made.files, str(number)))
    wanted = step["replicas"]
    share = min(made.replicas, wanted if isinstance(wanted, int) else -(-int(wanted[:-1]) * made.replicas // 100))
    if made.style.shares and wanted not in ("100%", 1) and made.replicas > 1:
        share = min(share, made.replicas - 1)
    stable = found[made.style.kind, made.name]["spec"]
    if made.style.border:
        assert old_pods(made, stable) == made.replicas - share
        return
    left = made.replicas - share if made.style.shares else made.replicas
    assert pods(found, made.style.kind, made.name) == left
    assert pods(found, made.style.kind, f"{made.name}-canary") == share
    if made.has("Ingress", "nginx"):
        annotations = found["Ingress", f"{made.name}-canary"]["metadata"]["annotations"]
        assert annotations.get(CANARY, "none") == ("none" if "matches" in step else str(step.get("weight", 0)))
    canary = found[made.style.kind, f"{made.name}-canary"]["spec"]
    if any(router.subsets for router in made.routers):
        assert selects(found, made.service, stable)
        assert selects(found, made.service, canary)
    elif ("Service", f"{made.service}-canary") in found:
        assert selects(found, f"{made.service}-canary", canary)
        assert not selects(found, f"{made.service}-canary", stable)
        assert selects(found, made.service, stable)
        assert selects(found, made.service, canary) is not (("weight" in step or "matches" in step) and left > 0)
