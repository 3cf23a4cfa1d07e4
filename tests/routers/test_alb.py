"""Ingress of the AWS Load Balancer Controller: at every stage, its load balancer sends requests where the plan says."""

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from krmfn.lua import find, render
from tests.routers.alb import PREFIX, Arrival, refusals, route
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, maybe, stages

SCRIPT = find("networking.k8s.io", "Ingress", "alb")
assert SCRIPT

CONDITIONS = [
    {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X", "values": ["1", "2"]}},
    {"field": "http-request-method", "httpRequestMethodConfig": {"Values": ["GET"]}},
    {"field": "query-string", "queryStringConfig": {"values": [{"key": "q", "value": "1"}]}},
]
GROUPS = st.lists(
    st.fixed_dictionaries(
        {
            "serviceName": st.sampled_from(["web", "web", "old"]),
            "servicePort": st.sampled_from([80, "80", "http"]),
            "weight": st.sampled_from([0, 1, 3, 20, 50]),
        }
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda group: (group["serviceName"], str(group["servicePort"])),
).filter(lambda groups: any(group["weight"] for group in groups))
PATHS = st.one_of(
    st.builds(lambda text: ("Prefix", text), st.sampled_from(["/", "/a", "/a/", "/a/b", "/b"])),
    st.builds(lambda text: ("Exact", text), st.sampled_from(["/a", "/a/b", "/b"])),
    st.builds(lambda text: ("ImplementationSpecific", text), st.sampled_from(["/*", "/a/*", "/a", "/a/b/*", "/a?"])),
)
BACKENDS = st.one_of(
    st.sampled_from([("web", {"number": 80}), ("web", {"name": "http"}), ("old", {"number": 80})]),
    st.sampled_from([(name, {"name": "use-annotation"}) for name in ("root", "root", "other", "redirect")]),
)


@st.composite
def ingresses(draw: st.DrawFn) -> Manifest:
    """Make an Ingress with up to two hosts and all kinds of paths, some of which ask for actions."""
    annotations = {PREFIX + "scheme": "internal"}
    for name in ("root", "other"):
        config: dict[str, Any] = {"targetGroups": draw(GROUPS)}
        if draw(st.booleans()):
            config["targetGroupStickinessConfig"] = {"enabled": True, "durationSeconds": 60}
        annotations[f"{PREFIX}actions.{name}"] = json.dumps({"type": "forward", "forwardConfig": config})
    redirect = {"type": "redirect", "redirectConfig": {"port": "443", "statusCode": "HTTP_301"}}
    annotations[PREFIX + "actions.redirect"] = json.dumps(redirect)
    for name in ("root", "web", "redirect"):
        conditions = draw(maybe(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=1), odds=3))
        if conditions:
            annotations[f"{PREFIX}conditions.{name}"] = json.dumps(conditions)
        if draw(st.integers(0, 4)) == 0:
            annotations[f"{PREFIX}transforms.{name}"] = json.dumps([{"type": "url-rewrite", "of": name}])
    hosts = draw(st.sampled_from([[None], ["example.com"], ["example.com", None], ["*.com", "example.com"]]))
    spec: dict[str, Any] = {"rules": [draw(rules(host)) for host in hosts]}
    if default := draw(maybe(BACKENDS, odds=4)):
        spec["defaultBackend"] = {"service": {"name": default[0], "port": default[1]}}
    metadata = {"name": "web", "namespace": "demo", "annotations": annotations}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


@st.composite
def rules(draw: st.DrawFn, host: str | None) -> Manifest:
    """Make a rule for a host."""
    paths = []
    for kind, text in draw(st.lists(PATHS, min_size=1, max_size=3, unique=True)):
        name, port = draw(BACKENDS)
        paths.append({"path": text, "pathType": kind, "backend": {"service": {"name": name, "port": port}}})
    return {**({"host": host} if host else {}), "http": {"paths": paths}}


def twin(arrival: Arrival) -> Arrival | None:
    """Return the canary's counterpart of a stable arrival."""
    return arrival._replace(service="web-canary") if arrival.service == "web" else None


REASONS = {
    "does not lead": "",
    "has no conditions": "defaultBackend",
    "would need the weight": "actions",
    "has room for 5 values": "",
    "within the pattern /a?": "/a[?]",
    "which it does first now": "conditions",
}


def arrive(host: str, manifests: list[Manifest], request: Request) -> Shares:
    """Route by the only object there is."""
    (only,) = manifests
    return route(only, replace(request, host=host))


HOSTS = st.sampled_from(["example.com", "other.com", "example.org"])


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS, deadline=None)
    @given(ingresses(), stages(SCRIPT), HOSTS, st.integers(0, 2**32))
    def run(base: Manifest, stage: Manifest, host: str, seed: int) -> None:
        assume(refusals(base) == [])
        law = Law(SCRIPT, partial(arrive, host), twin, REASONS)
        if made := law.check(base, stage, seed):
            assert refusals(made[0]) == []
            again = render(SCRIPT, base, stage)
            assert again == made
        kept.update(law.kept)

    run()
    assert kept[True] > PLANS // 3


@settings(max_examples=PLANS // 4, deadline=None)
@given(ingresses(), stages(SCRIPT), st.sampled_from([0, 20, 100]), st.integers(0, 2**32))
def test_a_canary_that_the_author_has_written(base: Manifest, stage: Manifest, part: int, seed: int) -> None:
    """Where the canary stands beside the stable Service already, the two divide what they have together."""
    assume(refusals(base) == [])
    law = Law(SCRIPT, partial(arrive, "example.com"), twin, REASONS)
    annotations = {
        key: beside(text, part) if "actions." in key else text for key, text in base["metadata"]["annotations"].items()
    }
    both = {**base, "metadata": {**base["metadata"], "annotations": annotations}}
    law.check_written(base, both, stage, seed)


def beside(text: str, part: int) -> str:
    """Return an action that gives part of what the stable Service has to the canary."""
    action = json.loads(text)
    groups = action.get("forwardConfig", {}).get("targetGroups", [])
    made = []
    for group in groups:
        weight = (1 if len(groups) == 1 else group["weight"]) * 10
        own = weight * part // 100
        made.append({**group, "weight": weight})
        if group["serviceName"] == "web" and weight:
            made[-1]["weight"] -= own
            made.append({**group, "serviceName": "web-canary", "weight": own})
    if groups:
        action["forwardConfig"]["targetGroups"] = made
    return json.dumps(action)
