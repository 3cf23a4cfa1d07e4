"""A workload that goes down to take its new version: what answers requests meanwhile, or that nobody does."""

import pytest

from krmfn import krm
from krmfn.scaling import empties_itself
from tests.echoserver import APP, ROLLOUT
from tests.stories import rendered

TARGET = {"images": [{"name": "example.com/echo", "newTag": "1.1"}]}
SAID = "may leave it without a ready pod while it takes the new template"


def said(strategy: str, last: str = "50%", **spec: str) -> list[str]:
    """Return the findings about the workload's strategy at a position."""
    app = APP.replace("  selector:\n    matchLabels", f"  strategy: {strategy}\n  selector:\n    matchLabels", 1)
    rollout = ROLLOUT.replace("traffic: 50%", f"traffic: {last}")
    _, outcome = rendered({"app.yaml": app.encode(), "rollout.yaml": rollout.encode()}, {"target": TARGET} | spec)
    assert not outcome.failed
    return [result.line() for result in outcome.results if result.field == "spec.strategy"]


def test_requests_to_nobody_are_named() -> None:
    """Where the stable side still gets requests and may have no pods, a warning says so and what to do."""
    [line] = said("{type: Recreate}", step="promote")
    assert line.startswith(f"warning: Deployment demo/echo spec.strategy: {SAID}")
    assert "use a rolling update with maxUnavailable: 0" in line
    assert 1 == len(said("{type: Recreate}", step="promote>0/scale"))


@pytest.mark.parametrize("position", ["0", "1", "2", "promote>0/shift", "finalise", "complete"])
def test_it_is_named_where_the_template_changes(position: str) -> None:
    """At any other position the pods of the stable side stay as they are, and nothing is said."""
    assert [] == said("{type: Recreate}", step=position)


def test_nobody_is_missed_where_the_canary_answers() -> None:
    """Where all requests go to the canary, or the pods are renewed a few at a time, nothing is said."""
    assert [] == said("{type: Recreate}", "100%", step="promote")
    assert [] == said("{rollingUpdate: {maxUnavailable: 1}}", step="promote")


@pytest.mark.parametrize(
    ("strategy", "pods", "expected"),
    [
        ("{type: Recreate}", 9, True),
        ("{}", 1, False),
        ("{rollingUpdate: {maxUnavailable: 1}}", 1, True),
        ("{rollingUpdate: {maxUnavailable: 1}}", 2, False),
        ("{rollingUpdate: {maxUnavailable: 99%}}", 2, False),
        ("{rollingUpdate: {maxUnavailable: 100%}}", 2, True),
        ("{rollingUpdate: {maxUnavailable: 0, maxSurge: 1%}}", 1, False),
        ("{rollingUpdate: {maxUnavailable: 25%, maxSurge: 0}}", 1, True),
        ("{rollingUpdate: {maxUnavailable: 25%, maxSurge: 0}}", 2, False),
        ("{type: Odd, rollingUpdate: often}", 1, False),
        ("often", 1, False),
    ],
)
def test_a_strategy_is_read_as_its_controller_reads_it(strategy: str, pods: int, *, expected: bool) -> None:
    """It rounds what may be missing down and what may be too many up, and takes one away where both come to nothing."""
    assert expected == empties_itself(workload("apps/v1", "Deployment", strategy=krm.load(strategy)), pods)


@pytest.mark.parametrize(
    ("strategy", "pods", "expected"),
    [
        ("{}", 1, True),
        ("{}", 2, False),
        ("{maxUnavailable: 60%}", 2, True),
        ("{maxUnavailable: 60%, maxSurge: 1}", 2, False),
        ("{maxUnavailable: 0, maxSurge: 1}", 1, False),
        ("{type: InPlaceIfPossible}", 1, True),
    ],
)
def test_a_cloneset_takes_its_pods_away_first(strategy: str, pods: int, *, expected: bool) -> None:
    """It has a fifth of them less, rounded up, and none more, unless it says that it may have more."""
    found = workload("apps.kruise.io/v1alpha1", "CloneSet", updateStrategy=krm.load(strategy))
    assert expected == empties_itself(found, pods)


@pytest.mark.parametrize(
    ("strategy", "pods", "expected"),
    [
        ("{}", 1, True),
        ("{}", 2, False),
        ("{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", 1, False),
        ("{rollingUpdate: {maxUnavailable: 51%}}", 2, True),
    ],
)
def test_a_daemonset_takes_its_pods_away_first(strategy: str, pods: int, *, expected: bool) -> None:
    """One after the other, unless it says otherwise."""
    assert expected == empties_itself(workload("apps/v1", "DaemonSet", updateStrategy=krm.load(strategy)), pods)


def workload(api_version: str, kind: str, **spec: object) -> krm.Item:
    """Return a workload that says how it takes a new template."""
    return krm.new(
        {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": spec}, path="web.yaml"
    )
