"""Queries by which a ScaledObject scales: asked about the canary where they name the stable side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krmfn.triggers import Names, triggers
from tests.stories import FIXTURES, rendered, story

NAMES = Names((("web", "web-canary"), ("web-primary", "web-canary")))
SAME_NUMBER = "the trigger t has nothing of web in its query, so it scales both sides by the same number"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum(rate(hits{app="web"}[1m]))', 'sum(rate(hits{app="web-canary"}[1m]))'),
        ('hits{service="web-primary"}', 'hits{service="web-canary"}'),
        ('hits{pod=~"web-.*"}', 'hits{pod=~"web-canary-.*"}'),
        ('hits{pod=~"web-[0-9a-f]+-.{5}"}', 'hits{pod=~"web-canary-[0-9a-f]+-.{5}"}'),
        ("avg:hits{kube_namespace:web,service:web}", "avg:hits{kube_namespace:web,service:web-canary}"),
        ('hits{host="web.shop.svc.cluster.local"}', 'hits{host="web-canary.shop.svc.cluster.local"}'),
        ('hits{host=~"web\\\\.web\\\\.svc.*"}', 'hits{host=~"web-canary\\\\.web\\\\.svc.*"}'),
        ('up{instance="web:8080"}', 'up{instance="web-canary:8080"}'),
        ("SELECT count(*) FROM jobs WHERE worker = 'web'", "SELECT count(*) FROM jobs WHERE worker = 'web-canary'"),
    ],
)
def test_a_query_about_the_stable_side_asks_about_the_canary(query: str, expected: str) -> None:
    """Each name of the stable side becomes the canary's: of the workload, its pods, its Services."""
    assert NAMES.asked(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "web_hits",
        'hits{app="webserver"}',
        'hits{app="my-web"}',
        'hits{app="web-front"}',
        'hits{path="/web"}',
        'hits{namespace="web"}',
        'hits{namespace=~"shop|web"}',
        'hits{container="web"}',
        'hits{image=~"shop/web:.*"}',
        'hits{host="api.web.svc"}',
        "sum(rate(web[1m]))",
        'web{code="500"}',
        "job:web:rate5m",
        "web:hits:rate5m",
        "avg:web{*}",
    ],
)
def test_what_only_looks_like_a_name_stays(query: str) -> None:
    """Other names, and the namespace, container, image and metric, are the same for the canary; and it is said so."""
    assert NAMES.asked(query) == query
    assert said(query) == (SAME_NUMBER,)


def said(query: str, names: Names = NAMES) -> tuple[str, ...]:
    """Return what there is to know of a query."""
    [(_, remarks)] = triggers([{"type": "prometheus", "name": "t", "metadata": {"query": query}}], names)
    return remarks


def test_a_query_that_is_about_both_sides_already_is_named() -> None:
    """Stable pods stay with the author's query, so what of it is the canary's has to be known."""
    both = "which is the canary's as well, and stable pods are scaled by both"
    assert said('hits{pod=~"web-.*"}') == (f"the trigger t asks about web-.*, {both}",)
    assert said("SELECT 1 WHERE pod LIKE 'web-%'") == (f"the trigger t asks about web-%, {both}",)
    theirs = "and stable pods are scaled by it; let it ask about them alone"
    assert said('hits{app="web-canary"}') == (f"the trigger t asks about web-canary, {theirs}",)
    assert said('hits{app="web"}') == ()


def test_a_name_that_is_two_things_is_named() -> None:
    """Where the workload is called like its Service and their canaries are not, nobody can tell which is meant."""
    names = Names((("web", "web-canary"), ("web", "preview")))
    assert names.asked('hits{app="web"}') == 'hits{app="web-canary"}'
    assert said('hits{app="web"}', names) == (
        "the trigger t asks about web, which is web-canary or preview for the canary; the first is taken",
    )


def test_triggers_without_a_query() -> None:
    """What is measured at the pods themselves says nothing; anything else scales both sides alike."""
    listed = [{"type": "cpu", "metadata": {"value": "60"}}, {"type": "kafka", "metadata": {"topic": "web"}}]
    found = list(triggers(listed, NAMES))
    assert [trigger for trigger, _ in found] == listed
    said = "the trigger kafka has no query, so it scales both sides by the same number"
    assert [remarks for _, remarks in found] == [(), (said,)]


def test_a_metric_that_is_not_of_the_pods_is_named() -> None:
    """What a HorizontalPodAutoscaler measures elsewhere is the same for both sides; what it measures at pods is not."""
    told = story(FIXTURES / "kruise" / "autoscaler-rename")
    metrics = "metrics:\n    - {type: External, external: {metric: {name: lag}, target: {averageValue: 5}}}\n"
    files = {name: data.replace(b"metrics:\n", metrics.encode()) for name, data in told.files.items()}
    lines = [result.line() for result in rendered(files, told.config | {"step": "1"})[1].results]
    said = "the metric lag is not that of the pods, so it scales both sides by the same number"
    expected = f"warning: HorizontalPodAutoscaler shop/web spec.metrics[0]: {said} (web.yaml)"
    assert [line for line in lines if line.startswith("warning")] == [expected]


@given(st.text(alphabet="web -.*{}=\"'/|pricany_", max_size=40))
def test_asking_twice_is_asking_once(query: str) -> None:
    """A query of the canary's names nobody of the stable side."""
    assert NAMES.asked(NAMES.asked(query)) == NAMES.asked(query)
