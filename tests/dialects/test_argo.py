"""Argo Rollouts: its steps are folded into resting places, and what its validation refuses is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.dialects import argo
from krmfn.dialects.argo.known import SPEC
from krmfn.dialects.argo.ratio import Ratio
from krmfn.plan import EXACT, PREFIX, REGEX, Amount, Condition, Gate, Match, Mirror, Plan, locate
from krmfn.results import ERROR
from krmfn.scene import Scene
from krmfn.stage import divide
from tests.stories import FIXTURES, ROOT, rendered

TARGET = {"target": {"images": [{"name": "argoproj/rollouts-demo", "newTag": "yellow"}]}}
EXAMPLE = FIXTURES / "argo" / "canary-nginx"
CRDS = ROOT.parent / "shared" / "crds"
PAUSE: dict[str, Any] = {"pause": {}}


def files(folder: Path = EXAMPLE) -> dict[str, bytes]:
    """Return the package of a story."""
    return {name: (folder / name).read_bytes() for name in ("app.yaml", "rollout.yaml")}


def changed(**changes: Any) -> dict[str, bytes]:
    """Return the example with some fields of its Rollout set, by their path below ``spec``; None removes one."""
    found = files()
    rollout = yaml.safe_load(found["rollout.yaml"])
    put(rollout["spec"], changes)
    return found | {"rollout.yaml": yaml.safe_dump(rollout).encode()}


def put(spec: dict[str, Any], changes: dict[str, Any]) -> None:
    """Set some fields by their path; None removes one."""
    for path, value in changes.items():
        *way, last = path.split("__")
        place = spec
        for key in way:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value


def plan(**changes: Any) -> Plan:
    """Return the plan of the example with some fields changed."""
    package = krm.read_files(changed(**changes).items())
    rollout = next(item for item in package.items if item.ref.kind == "Rollout")
    return argo.plan(rollout, Scene(package))


def stops(steps: list[Any]) -> list[tuple[Any, ...]]:
    """Return pods, stable pods out of ten, weight and gate of every resting place of a canary behind a router."""
    found = plan(strategy__canary__steps=steps, strategy__canary__trafficRouting={"nginx": {"stableIngress": "x"}})
    return [(s.pods.of(10), s.stable and s.stable.of(10), s.traffic.weight, s.gate.seconds) for s in found.steps]


def test_steps_rest_where_the_controller_rests() -> None:
    """Weights and scales hold from where they are set to the next pause, and a trailing one is a place of its own."""
    steps = [
        {"setCanaryScale": {"replicas": 1}},
        {"pause": {}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
        {"setWeight": 10},
        {"setWeight": 20},
        {"pause": {"duration": "10m"}},
        {"setCanaryScale": {"weight": 50}},
        {"pause": {"duration": 30}},
        {"setWeight": 60},
    ]
    assert stops(steps) == [(1, None, 0, None), (2, None, 20, 600), (5, None, 20, 30), (5, None, 60, 0)]


def test_pods_can_be_counted_by_a_weight_that_is_no_whole_percentage() -> None:
    """A share of maxTrafficWeight is a number of pods, rounded up, and what a stable side gives up is as exact."""
    found = plan(
        strategy__canary__steps=[{"setCanaryScale": {"weight": 25}}, {"setWeight": 50}, {"pause": {}}],
        strategy__canary__dynamicStableScale=True,
        strategy__canary__trafficRouting={"maxTrafficWeight": 1000, "nginx": {"stableIngress": "x"}},
    ).steps[0]
    numbers = (1, 40, 41, 200)
    assert [(found.pods.of(n), found.stable and found.stable.of(n)) for n in numbers] == [
        (1, 1),
        (1, 39),
        (2, 40),
        (5, 195),
    ]
    assert (str(found.pods), found.traffic.weight) == ("2.5%", 5)


def test_what_a_step_sets_beside_its_pause_holds_there() -> None:
    """A step may set the canary's scale and its weight at once, or a header route and rest there, as under Argo."""
    steps = [
        {"setCanaryScale": {"replicas": 3}, "pause": {"duration": 15}},
        {"setCanaryScale": {"matchTrafficWeight": True}, "setWeight": 20},
        {"pause": {}},
    ]
    assert stops(steps) == [(3, None, 0, 15), (2, None, 20, None)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([{"pause": {}}], [(0, None, 0, None)], id="a leading pause has no canary pods"),
        pytest.param([], [(10, None, 0, 0)], id="without steps all pods come, and no requests"),
        pytest.param([{"setWeight": 33}, {"pause": {}}], [(4, None, 33, None)], id="shares are rounded up"),
        pytest.param(
            [{"setCanaryScale": {"replicas": 7}}, {"setCanaryScale": {}}, {"setWeight": 20}, {"pause": {}}],
            [(2, None, 20, None)],
            id="a scale that says nothing ends the one before",
        ),
        pytest.param(
            [{"setCanaryScale": {"replicas": 12}}, {"pause": {}}], [(12, None, 0, None)], id="more than all pods"
        ),
    ],
)
def test_steps_at_the_edges(steps: list[Any], expected: list[Any]) -> None:
    """The first pause, no steps, odd shares and large counts come out as they do under a controller."""
    assert stops(steps) == expected


def test_a_least_number_of_pods_lifts_shares_but_not_nobody() -> None:
    """A minPodsPerReplicaSet holds for a share of the pods, up to all of them, and never for a side without any."""
    share = Amount(10, percent=True, least=3)
    assert [share.of(10), share.of(2), share.replace(number=0).of(10)] == [3, 2, 0]


def test_a_stable_side_that_gives_up_pods_keeps_enough_for_its_requests() -> None:
    """With dynamicStableScale the two sides hold what their requests need; a count asked for takes none away."""
    found = plan(
        strategy__canary__dynamicStableScale=True,
        strategy__canary__steps=[
            {"setCanaryScale": {"replicas": 1}},
            {"pause": {}},
            {"setCanaryScale": {"matchTrafficWeight": True}},
            {"setWeight": 25},
            {"pause": {}},
            {"setWeight": 100},
        ],
    )
    sides = [(step.pods.of(10), step.stable.of(10) if step.stable else None) for step in found.steps]
    assert sides == [(1, 10), (3, 8), (10, 0)]


@pytest.mark.parametrize(
    ("canary", "surge"),
    [
        ({}, True),
        ({"maxSurge": 0}, False),
        ({"maxSurge": "0%"}, False),
        ({"maxSurge": "1"}, True),
        ({"maxSurge": 2}, True),
    ],
)
def test_a_surge_in_quotes_is_a_percentage(canary: dict[str, Any], surge: bool) -> None:  # noqa: FBT001
    """Whether one pod more may run is all that a settled canary takes from maxSurge."""
    found = plan(strategy__canary={"steps": [{"setWeight": 20}, {"pause": {}}], **canary})
    assert [step.pods for step in found.steps] == [Ratio(20, percent=True, surge=surge)]


def test_an_analysis_is_a_gate_that_somebody_has_to_look_at() -> None:
    """The plan names the template; nothing here measures."""
    assert plan().steps[-1].gate == Gate(None, "analysis success-rate is good")


def test_a_template_of_its_own_runs_in_a_deployment_of_that_name() -> None:
    """Without a controller nobody runs a Rollout; its Deployment has what a Deployment can have, and nothing else."""
    template = yaml.safe_load(files()["app.yaml"].split(b"---")[0])["spec"]
    spec = {key: template[key] for key in ("selector", "template")}
    package = changed(workloadRef=None, restartAt="2026-01-01T00:00:00Z", minReadySeconds=5, **spec)
    package |= {"app.yaml": package["app.yaml"].split(b"---\n", 1)[1]}
    after, outcome = rendered(package, {"step": "complete"})
    assert not outcome.failed, outcome.results
    made = [i.value for i in krm.read_files(after.items()).items if i.ref.kind == "Deployment"]
    labels = {"krmfn.dev/rollout": "rollouts-demo"}
    expected = {"name": "rollouts-demo", "labels": labels}, {"replicas": 5, "minReadySeconds": 5, **spec}
    assert [(found["metadata"], found["spec"]) for found in made] == [expected]


def test_a_new_image_may_be_written_wherever_the_old_one_stands() -> None:
    """A bot changes it in the Rollout and in the Deployment made from it: both say the same, so nothing is lost."""
    before, _ = rendered(files(), {"step": "0"})
    written = {name: data for name, data in before.items() if name != "krmfn-state.yaml"}
    bumped = {name: data.replace(b"rollouts-demo:blue", b"rollouts-demo:yellow") for name, data in written.items()}
    after, outcome = rendered(before | bumped, {"step": "1/scale"})
    deployments = [item for item in krm.read_files(after.items()).items if item.ref.kind == "Deployment"]
    images = {item.ref.name: item.value["spec"]["template"]["spec"]["containers"][0]["image"] for item in deployments}
    assert not outcome.failed
    assert images == {
        "rollouts-demo": "argoproj/rollouts-demo:blue",
        "rollouts-demo-canary": "argoproj/rollouts-demo:yellow",
    }


def test_the_way_back_leads_the_canary_s_service_to_the_stable_side_before_its_pods_go() -> None:
    """Nobody who uses that Service by its name is left without pods."""
    before, _ = rendered(files(), TARGET | {"step": "1"})
    after, _ = rendered(before, TARGET | {"step": "1>0/shift"})
    objects = {(i.ref.kind, i.ref.name): i.value for i in krm.read_files(after.items()).items}
    assert objects["Service", "rollouts-demo-canary"]["spec"]["selector"] == {"app": "rollouts-demo"}
    assert objects["Deployment", "rollouts-demo-canary"]["spec"]["replicas"] == 1


def test_a_stable_side_gives_up_pods_in_its_manifest() -> None:
    """The Deployment of the stable side is written with what dynamicStableScale leaves it."""
    steps = [{"setWeight": 60}, {"pause": {}}]
    package = changed(strategy__canary__dynamicStableScale=True, strategy__canary__steps=steps)
    after, _ = rendered(package, TARGET | {"step": "1"})
    objects = {i.ref.name: i.value["spec"] for i in krm.read_files(after.items()).items if i.ref.kind == "Deployment"}
    assert {name: spec["replicas"] for name, spec in objects.items()} == {"rollouts-demo": 2, "rollouts-demo-canary": 3}


def blue_green(**fields: Any) -> Plan:
    """Return the plan of the example as a blue-green rollout."""
    return plan(strategy={"blueGreen": {"activeService": "rollouts-demo-stable", **fields}})


@pytest.mark.parametrize(
    ("fields", "pods", "gates"),
    [
        ({}, [10, 10], [Gate(0), Gate(30)]),
        ({"previewReplicaCount": 2, "autoPromotionSeconds": 60}, [2, 10], [Gate(60), Gate(30)]),
        ({"autoPromotionEnabled": False, "autoPromotionSeconds": 60}, [10, 10], [Gate(), Gate(30)]),
        (
            {"autoPromotionEnabled": False, "prePromotionAnalysis": {"templates": [{"templateName": "smoke"}]}},
            [10, 10],
            [Gate(None, "a person decides and analysis smoke is good"), Gate(30)],
        ),
        (
            {"scaleDownDelaySeconds": 0, "prePromotionAnalysis": {"templates": [{"templateName": "smoke"}]}},
            [10, 10],
            [Gate(0, "analysis smoke is good"), Gate(0)],
        ),
    ],
)
def test_blue_green_is_a_preview_and_then_everybody(fields: dict[str, Any], pods: list[int], gates: list[Gate]) -> None:
    """A preview may be smaller; whether it is promoted by itself, and after what, is a gate."""
    found = blue_green(**fields).steps
    assert [(step.pods.of(10), step.traffic.weight) for step in found] == list(zip(pods, (0, 100), strict=True))
    assert [step.gate for step in found] == gates


@pytest.mark.parametrize(
    ("position", "selector"),
    [
        ("1", "rollouts-demo"),
        ("2", "rollouts-demo-canary"),
        ("promote", "rollouts-demo-canary"),
        ("finalise", "rollouts-demo"),
    ],
)
def test_the_active_service_leads_to_the_new_pods_until_the_stable_ones_are_new(position: str, selector: str) -> None:
    """It goes over at step 2 and comes back once the stable workload runs the new version; no preview is needed."""
    package = changed(strategy={"blueGreen": {"activeService": "rollouts-demo-stable"}})
    after, outcome = rendered(package, TARGET | {"step": position})
    assert not outcome.failed, outcome.results
    objects = {(i.ref.kind, i.ref.name): i.value for i in krm.read_files(after.items()).items}
    assert objects["Service", "rollouts-demo-stable"]["spec"]["selector"] == {"app": selector}


def managed(*steps: dict[str, Any], names: tuple[str, ...] = ("testers", "shadow")) -> list[Any]:
    """Return what the canary gets beside its weight at each place to rest, behind Istio."""
    routing = {"managedRoutes": [{"name": name} for name in names], "istio": {"virtualService": {"name": "none"}}}
    found = plan(
        strategy__canary__steps=[{"setCanaryScale": {"replicas": 1}}, *steps], strategy__canary__trafficRouting=routing
    )
    return [(step.traffic.matches, step.traffic.mirror) for step in found.steps]


def mirror(*match: dict[str, Any], name: str = "shadow", **more: Any) -> dict[str, Any]:
    """Return a step that sets a mirror route."""
    return {"setMirrorRoute": {"name": name, "match": list(match), **more}}


TESTERS = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"prefix": "a.b"}}]}}
TESTER = Match((Condition("header", "x", r"a\.b.*", REGEX),))
EVERYTHING = {"path": {"prefix": "/"}}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([mirror(EVERYTHING)], [((), Mirror())], id="all requests"),
        pytest.param([mirror(EVERYTHING, percentage=5)], [((), Mirror(5))], id="some of all requests"),
        pytest.param([mirror(EVERYTHING, percentage=0)], [((), None)], id="none"),
        pytest.param(
            [mirror({"method": {"exact": "GET"}, "path": {"exact": "/a"}, "headers": {"h": {"regex": "1|2"}}})],
            [
                (
                    (),
                    Mirror(
                        100,
                        (
                            Match(
                                (Condition("method", "", "GET"), Condition("header", "h", "1|2", REGEX)), (EXACT, "/a")
                            ),
                        ),
                    ),
                )
            ],
            id="all parts have to hold",
        ),
        pytest.param(
            [mirror({"path": {"prefix": "/a"}}), PAUSE, TESTERS, PAUSE, mirror(), PAUSE],
            [
                ((), Mirror(100, (Match((), (PREFIX, "/a")),))),
                ((TESTER,), Mirror(100, (Match((), (PREFIX, "/a")),))),
                ((TESTER,), None),
            ],
            id="routes stay until a step without matches takes them away",
        ),
        pytest.param(
            [mirror(EVERYTHING, name="testers"), PAUSE, TESTERS], [((), Mirror()), ((TESTER,), None)], id="one name"
        ),
    ],
)
def test_managed_routes_are_folded_by_name(steps: list[Any], expected: list[Any]) -> None:
    """At each place to rest there are the routes that were set by then, whether they send requests or copy them."""
    assert managed(*steps) == expected


def test_an_analysis_in_the_background_is_part_of_every_gate_from_its_first_step_on() -> None:
    """Whoever commits next sees what has to be good by then, beside the time that a pause takes."""
    background = {"startingStep": 3, "templates": [{"templateName": "errors"}]}
    ends = [PAUSE, {"plugin": {"name": "a/b"}}]
    steps = [{"setWeight": 20}, PAUSE, {"setWeight": 40}, {"pause": {"duration": 60}}, *ends]
    found = plan(strategy__canary__steps=steps, strategy__canary__analysis=background).steps
    good = "analysis errors is good"
    assert [step.gate for step in found] == [
        Gate(),
        Gate(60, good),
        Gate(None, f"a person decides and {good}"),
        Gate(None, f"the plugin a/b would be done and {good}"),
    ]


@pytest.mark.parametrize("inline", [True, False], ids=["stableMetadata", "the pod template"])
def test_labels_that_an_author_gives_either_side_tell_pods_apart(*, inline: bool) -> None:
    """Where both subsets were the same pods, a label on each side is what the message asks for, and enough."""
    package = files(FIXTURES / "argo" / "istio-subsets")
    app, rollout = list(yaml.safe_load_all(package["app.yaml"])), yaml.safe_load(package["rollout.yaml"])
    canary = rollout["spec"]["strategy"]["canary"]
    canary["canaryMetadata"] = {"labels": {"role": "canary"}}
    if inline:
        canary["stableMetadata"] = {"labels": {"role": "stable"}}
        deployment = app.pop(0)["spec"]
        del rollout["spec"]["workloadRef"]
        rollout["spec"] |= deployment
    else:
        app[0]["spec"]["template"]["metadata"]["labels"]["role"] = "stable"
    given = {"app.yaml": yaml.safe_dump_all(app).encode(), "rollout.yaml": yaml.safe_dump(rollout).encode()}
    target = {"images": [{"name": "argoproj/rollouts-demo", "newTag": "yellow"}]}
    _, outcome = rendered(given, {"step": "1", "target": target})
    assert [(view.isolation.mode, view.isolation.key) for view in outcome.views] == [("label", "role")]


@pytest.mark.parametrize("step", ["1", "2", "complete"])
def test_a_traefik_service_of_the_former_group_is_rendered_alike(step: str) -> None:
    """But for its group, all objects are those that the present group comes to."""
    groups, seen = (b"traefik.io", b"traefik.containo.us"), []
    for group in groups:
        given = {name: text.replace(groups[0], group) for name, text in files(FIXTURES / "argo" / "traefik").items()}
        target = {"images": [{"name": "argoproj/rollouts-demo", "newTag": "yellow"}]}
        after, outcome = rendered(given, {"step": step, "target": target, "adopted": True})
        assert not outcome.failed
        manifests = (text.replace(group, groups[0]) for name, text in after.items() if name != "krmfn-state.yaml")
        seen.append([list(yaml.safe_load_all(text)) for text in manifests])
    assert seen[0] == seen[1]


def story(name: str, **changes: Any) -> tuple[list[tuple[str, str]], Any]:
    """Render step 1 of a story with some fields of its Rollout set, after step 0; return what was refused, and all."""
    package = files(FIXTURES / "argo" / name)
    rollout = yaml.safe_load(package["rollout.yaml"])
    put(rollout["spec"], changes)
    package |= {"rollout.yaml": yaml.safe_dump(rollout).encode()}
    _, outcome = rendered(package, TARGET | {"step": "0"})
    return [(result.field, result.message) for result in outcome.results if result.severity == ERROR], outcome


ISTIO = "spec.strategy.canary.trafficRouting.istio"
SUBSETS = "strategy__canary__trafficRouting__istio__destinationRule__"
MESH = "strategy__canary__trafficRouting__appMesh__"
PLUGIN = "strategy__canary__trafficRouting__plugins__argoproj-labs/gatewayAPI__"
ROUTE_MISTAKES: list[tuple[str, dict[str, Any], str, str]] = [
    ("istio-subsets", {f"{SUBSETS}name": "none"}, f"{ISTIO}.destinationRule.name", "which is not in the package"),
    (
        "istio-subsets",
        {f"{SUBSETS}canarySubsetName": "new"},
        f"{ISTIO}.destinationRule",
        "Canary DestinationRule subset 'new' not found in rollouts-demo",
    ),
    (
        "istio-subsets",
        {f"{SUBSETS}stableSubsetName": "old"},
        f"{ISTIO}.destinationRule",
        "Stable DestinationRule subset 'old' not found in rollouts-demo",
    ),
    (
        "istio-subsets",
        {f"{SUBSETS}stableSubsetName": "canary"},
        f"{ISTIO}.destinationRule.canarySubsetName",
        "is the stable subset as well",
    ),
    (
        "istio-subsets",
        {"strategy__canary__trafficRouting__istio__virtualService__routes": ["other"]},
        f"{ISTIO}.virtualService.routes",
        "HTTP Route 'other' is not found in the defined Virtual Service.",
    ),
    (
        "istio-both",
        {"strategy__canary__trafficRouting__istio__virtualService__tcpRoutes": [{"port": 1}]},
        f"{ISTIO}.virtualService.tcpRoutes",
        "leads to rollouts-demo as well and is not selected",
    ),
    (
        "istio-both",
        {"strategy__canary__trafficRouting__istio__virtualService__tlsRoutes": [{"port": 443}]},
        f"{ISTIO}.virtualService.tlsRoutes",
        "No matching TLS routes found in rollouts-demo",
    ),
    (
        "istio-both",
        {"strategy__canary__stableMetadata": {"labels": {"track": "other"}}},
        "spec.strategy.canary.stableMetadata",
        "is not on the pod template of Deployment rollouts-demo",
    ),
    (
        "app-mesh",
        {f"{MESH}virtualService__name": "none"},
        "spec.strategy.canary.trafficRouting.appMesh.virtualService.name",
        "which is not in the package",
    ),
    (
        "app-mesh",
        {f"{MESH}virtualService__routes": ["other"]},
        "spec.strategy.canary.trafficRouting.appMesh.virtualService.routes",
        "'other' is none of primary",
    ),
    (
        "apisix",
        {"strategy__canary__trafficRouting__apisix__route__rules": ["other"]},
        "spec.strategy.canary.trafficRouting.apisix.route.rules",
        "does not name primary, which would be divided as well",
    ),
    (
        "alb",
        {"strategy__canary__trafficRouting__alb__stickinessConfig": {"enabled": True, "durationSeconds": 60}},
        "spec.strategy.canary.trafficRouting.alb.stickinessConfig",
        "is not in the annotation alb.ingress.kubernetes.io/actions.rollouts-demo-root",
    ),
    (
        "gateway",
        {f"{PLUGIN}tlsRouteSelector": {"matchLabels": 1}},
        "spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.tlsRouteSelector.matchLabels",
        "must be a mapping, not a number",
    ),
    (
        "gateway",
        {f"{PLUGIN}tlsRouteSelector": {"matchLabels": {"release": "none"}}},
        "spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.tlsRouteSelector",
        "selects no TLSRoute of the package",
    ),
    (
        "ping-pong",
        {"strategy__canary__pingPong__pongService": "rollouts-demo-ping"},
        "spec.strategy.canary.pingPong.pongService",
        "two different services are required",
    ),
    (
        "ping-pong",
        {"strategy__canary__stableService": "rollouts-demo-pong"},
        "spec.strategy.canary.pingPong",
        "names two Services beside canaryService and stableService",
    ),
    (
        "ping-pong",
        {"strategy__canary__trafficRouting": {"traefik": {"weightedTraefikServiceName": "a"}}},
        "spec.strategy.canary.pingPong",
        "Ping-pong feature works with alb, istio, plugins only",
    ),
    (
        "mirror-istio",
        {"strategy__canary__trafficRouting__managedRoutes": [{"name": "shadow"}, {"name": "testers"}]},
        "spec.strategy.canary.trafficRouting.managedRoutes",
        "has the mirror route shadow before the header route testers",
    ),
]


ROUTE_MISTAKES += [
    (
        "gateway",
        {f"{PLUGIN}namespace": "other"},
        "spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.namespace",
        "a route has to be in the namespace of the Rollout",
    ),
    (
        "gateway",
        {"strategy__canary__trafficRouting__plugins": {"argoproj-labs/gatewayAPI": {"httpRoutes": []}}},
        "spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI",
        "names no route",
    ),
    (
        "gateway",
        {
            "strategy__canary__steps": [TESTERS, PAUSE],
            "strategy__canary__trafficRouting__managedRoutes": [{"name": "testers"}],
        },
        "spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.grpcRoutes[0].useHeaderRoutes",
        "has to be true: the steps set header routes",
    ),
    (
        "canary-istio",
        {"strategy__canary__trafficRouting__istio__virtualService__name": "demo.other.cluster.local"},
        f"{ISTIO}.virtualService.name",
        "is in namespace other",
    ),
    (
        "canary-istio",
        {"strategy__canary__canaryService": "other"},
        f"{ISTIO}.virtualService",
        "Canary Service 'other' not found in route",
    ),
    (
        "canary-istio",
        {
            "strategy__canary__trafficRouting__plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "a"}},
            "strategy__canary__dynamicStableScale": None,
        },
        "spec.strategy.canary.steps[1].setHeaderRoute.match",
        "means any of them for Istio and all of them for every other router",
    ),
    (
        "mirror-istio",
        {
            "strategy__canary__steps": [mirror(EVERYTHING), mirror(EVERYTHING, name="testers", percentage=5), PAUSE],
        },
        "spec.strategy.canary.steps[2]",
        "has mirror routes of several percentages at once",
    ),
    (
        "alb",
        {
            "strategy__canary__steps": [
                {
                    "setHeaderRoute": {
                        "name": "testers",
                        "match": [{"headerName": "x", "headerValue": {"regex": "a"}}],
                    }
                }
            ]
        },
        "spec.strategy.canary.steps[0].setHeaderRoute.match[0].headerValue",
        "SetHeaderRoute match value invalid. ALB supports 'exact' value only",
    ),
    (
        "alb",
        {
            "strategy__canary__canaryService": None,
            "strategy__canary__stableService": None,
            "strategy__canary__pingPong": {"pingService": "a", "pongService": "b"},
            "strategy__canary__trafficRouting__alb__rootService": None,
        },
        "spec.strategy.canary.trafficRouting.alb",
        "Root service field is required for the configuration with ALB and ping-pong feature enabled",
    ),
    (
        "ambassador",
        {"strategy__canary__trafficRouting__ambassador__mappings": []},
        "spec.strategy.canary.trafficRouting.ambassador.mappings",
        "names no Mapping",
    ),
    (
        "traefik",
        {"strategy__canary__trafficRouting": {"managedRoutes": []}},
        "spec.strategy.canary.trafficRouting",
        "names no router; add one of alb, ambassador",
    ),
    (
        "canary-nginx",
        {"strategy__canary__trafficRouting__nginx__annotationPrefix": "example.com"},
        "spec.strategy.canary.trafficRouting.nginx.annotationPrefix",
        "the annotations begin with nginx.ingress.kubernetes.io",
    ),
]


@pytest.mark.parametrize(("name", "changes", "field", "message"), ROUTE_MISTAKES)
def test_what_a_router_refuses_is_said(name: str, changes: dict[str, Any], field: str, message: str) -> None:
    """Each mistake about a route is told with the field in which it stands."""
    said, outcome = story(name, **changes)
    assert outcome.failed
    assert any(where == field and message in what for where, what in said), said


def test_a_mapping_with_a_weight_of_its_own_is_refused() -> None:
    """The canary's is to get one, and both would be parts of one whole."""
    package = files(FIXTURES / "argo" / "ambassador")
    package |= {"app.yaml": package["app.yaml"].replace(b"timeout_ms: 4000", b"weight: 50")}
    _, outcome = rendered(package, TARGET | {"step": "0"})
    assert any("the Mapping rollouts-demo has a weight" in result.message for result in outcome.results)


def test_an_ingress_may_ask_for_a_cookie_all_along() -> None:
    """What the annotations of the canary's Ingress ask for is a match of every step that has canary pods."""
    asked = {"canary-by-cookie": "beta", "canary-by-header": "X-Beta"}
    found = plan(strategy__canary__trafficRouting__nginx__additionalIngressAnnotations=asked)
    header, cookie = Condition("header", "X-Beta", "always"), Condition("cookie", "beta", "always")
    assert {step.traffic.matches for step in found.steps} == {(Match((header,)), Match((cookie,)))}
    assert any("those with X-Beta: never" in remark.message for remark in found.remarks)


def test_an_autoscaler_of_a_rollout_has_to_name_the_deployment() -> None:
    """Nobody scales a Rollout without its controller."""
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "rollouts-demo"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "rollouts-demo"},
            "maxReplicas": 9,
        },
    }
    _, outcome = rendered(changed() | {"scaler.yaml": yaml.safe_dump(scaler).encode()}, {"step": "0"})
    [found] = [result for result in outcome.results if "scales the Rollout, which nobody runs" in result.message]
    assert found.file == "scaler.yaml"


def test_a_service_of_the_canary_needs_none_of_the_stable_side() -> None:
    """Without a router the canary's Service may be the only one: it leads to the canary once that has pods."""
    steps = [{"setWeight": 20}, PAUSE]
    package = changed(strategy__canary={"canaryService": "rollouts-demo-canary", "steps": steps})
    selectors = []
    for position in ("0", "1", "promote", "complete"):
        package, outcome = rendered(package, TARGET | {"step": position})
        assert not outcome.failed, outcome.results
        objects = {(i.ref.kind, i.ref.name): i.value for i in krm.read_files(package.items()).items}
        selectors.append(objects["Service", "rollouts-demo-canary"]["spec"]["selector"])
    plain, led = {"app": "rollouts-demo"}, {"app": "rollouts-demo", "krmfn.dev/track": "canary"}
    assert selectors == [plain, led, led, plain]


def test_new_pods_keep_off_the_nodes_of_old_ones() -> None:
    """An anti-affinity names the stable side's pods by a label of the manifests, beside what the author wrote."""
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {}}
    package = changed(strategy__canary__antiAffinity=required)
    after, outcome = rendered(package, TARGET | {"step": "1"})
    assert not outcome.failed, outcome.results
    assert any("there have to be nodes for both" in result.message for result in outcome.results)
    objects = {i.ref.name: i.value for i in krm.read_files(after.items()).items if i.ref.kind == "Deployment"}
    affinities = {name: found["spec"]["template"]["spec"].get("affinity") for name, found in objects.items()}
    term = {"labelSelector": {"matchLabels": {"app": "rollouts-demo"}}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    assert affinities == {"rollouts-demo": None, "rollouts-demo-canary": apart}


def test_every_field_of_the_api_is_known() -> None:
    """What the schema of a Rollout has below its spec is read, or said to mean nothing; a typo is a mistake."""
    path = CRDS / "rollouts.argoproj.io.yaml"
    if not path.exists():
        pytest.skip("the schemas are not at hand")
    (version,) = yaml.safe_load(path.read_text())["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert differences(schema, SPEC, "spec") == []


def differences(schema: dict[str, Any], known: Any, path: str) -> list[str]:
    """Return the fields that only one of the two has."""
    if isinstance(known, list):
        return differences(schema["items"], known[0], f"{path}[]")
    if known is None or "properties" not in schema:
        return []
    properties = schema["properties"]
    found = [f"{path}.{key}" for key in properties.keys() ^ known.keys()]
    for key in properties.keys() & known.keys():
        found += differences(properties[key], known[key], f"{path}.{key}")
    return sorted(found)


def test_new_pods_keep_off_old_ones_that_have_no_label_of_their_own() -> None:
    """Where the stable pods have nothing that tells them apart, the canary's are left out by what those have."""
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}}
    package = changed(strategy__canary={"steps": [{"setWeight": 20}, PAUSE], "antiAffinity": preferred})
    after, outcome = rendered(package, TARGET | {"step": "1"})
    assert not outcome.failed, outcome.results
    (canary,) = (
        i.value
        for i in krm.read_files(after.items()).items
        if i.ref.name.endswith("demo-canary") and i.ref.kind == "Deployment"
    )
    without = {"key": "krmfn.dev/track", "operator": "NotIn", "values": ["canary"]}
    selector = {"matchLabels": {"app": "rollouts-demo"}, "matchExpressions": [without]}
    term = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
    apart = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 7, "podAffinityTerm": term}]}
    assert canary["spec"]["template"]["spec"]["affinity"] == {"podAntiAffinity": apart}


def test_a_full_promotion_is_a_way_to_the_last_step() -> None:
    """From any step the pods of the last one come first, and its requests when they are there."""
    found = plan()
    last = len(found.steps)
    scaled, there = (divide(found, locate(place, found.rests), 5) for place in (f"1>{last}/scale", str(last)))
    assert (scaled.canary, scaled.traffic) == (there.canary, found.steps[0].traffic)
    assert there.traffic == found.steps[-1].traffic


def test_a_route_that_is_named_and_selected_is_one() -> None:
    """Nothing is divided twice."""
    package = files(FIXTURES / "argo" / "gateway")
    rollout = yaml.safe_load(package["rollout.yaml"])
    selector = {"tlsRoutes": [{"name": "tls"}], "tlsRouteSelector": {"matchLabels": {"release": "rollouts-demo"}}}
    rollout["spec"]["strategy"]["canary"]["trafficRouting"]["plugins"]["argoproj-labs/gatewayAPI"] = selector
    items = krm.read_files((package | {"rollout.yaml": yaml.safe_dump(rollout).encode()}).items())
    (item,) = (item for item in items.items if item.ref.kind == "Rollout")
    assert [(route.kind, route.name) for route in argo.plan(item, Scene(items)).routes] == [("TLSRoute", "tls")]


def test_a_route_that_is_selected_has_a_name() -> None:
    """No object can be written for one that has none, and no cluster has it."""
    package = files(FIXTURES / "argo" / "gateway")
    bare = {name: data.replace(b"metadata:\n  name: tls\n", b"metadata:\n") for name, data in package.items()}
    target = {"images": [{"name": "argoproj/rollouts-demo", "newTag": "yellow"}]}
    _, outcome = rendered(bare, {"step": "1", "target": target})
    said = [result.line() for result in outcome.results if "selects a TLSRoute that has no name" in result.message]
    assert said
    assert "plugins.argoproj-labs/gatewayAPI.tlsRouteSelector" in said[0]


TEMPLATE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AnalysisTemplate",
    "metadata": {"name": "success-rate"},
    "spec": {
        "args": [{"name": "service"}, {"name": "limit", "value": "0.9"}],
        "metrics": [
            {"name": "rate", "successCondition": "result[0] >= 0.9"},
            {"name": "errors", "failureCondition": "result[0] > 5"},
            {"name": "job"},
        ],
    },
}


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ([{"name": "service", "value": "demo"}], ""),
        ([], "args.service was not resolved: AnalysisTemplate success-rate asks for it"),
    ],
)
def test_a_gate_says_what_an_analysis_looks_at(args: list[Any], problem: str) -> None:
    """Where the package has the template its conditions are in the plan, and its arguments have to be there."""
    steps = [{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "success-rate"}], "args": args}}]
    package = changed(strategy__canary__steps=steps) | {"template.yaml": yaml.safe_dump(TEMPLATE).encode()}
    after, outcome = rendered(package, TARGET | {"step": "0"})
    if problem:
        said = [(result.field, result.message) for result in outcome.results]
        assert said == [("spec.strategy.canary.steps[1].analysis.templates[0]", problem)]
        return
    (view,) = outcome.views
    conditions = "rate: result[0] >= 0.9; errors: not result[0] > 5"
    assert view.plan.steps[0].gate == Gate(None, f"analysis success-rate ({conditions}) is good")
    assert after["template.yaml"] == package["template.yaml"]


CANARY = "spec.strategy.canary"
ROUTING = f"{CANARY}.trafficRouting"
HEADER = {"setHeaderRoute": {"name": "a", "match": [{"headerName": "x", "headerValue": {"exact": "1"}}]}}
MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"strategy": None}, "spec.strategy", "Rollout has missing field '.spec.strategy.canary or"),
    (
        {"strategy": {}},
        "spec.strategy",
        "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
    ),
    ({"strategy__blueGreen": {}}, "spec.strategy", "Multiple Strategies can not be listed"),
    ({"strategy": {"blueGreen": {"previewService": "a"}}}, "spec.strategy.blueGreen.activeService", "is required"),
    (
        {"strategy": {"blueGreen": {"activeService": "a", "previewService": "a"}}},
        "spec.strategy.blueGreen.previewService",
        "This rollout uses the same service for the active and preview services",
    ),
    (
        {"strategy": {"blueGreen": {"activeService": "a", "scaleDownDelayRevisionLimit": 11}}},
        "spec.strategy.blueGreen.scaleDownDelayRevisionLimit",
        "revision history limit can not be smaller",
    ),
    ({"template": {"metadata": {}}}, "spec.template", "template must be empty for workload reference rollout"),
    ({"workloadRef": None}, "spec", "has neither a template nor a workloadRef"),
    ({"workloadRef": None, "selector": {}}, "spec.selector", "empty selector is invalid for deployment"),
    ({"workloadRef": None}, "spec.selector", "Rollout has missing field '.spec.selector'"),
    ({"workloadRef__kind": "ReplicaSet"}, "spec.workloadRef.kind", "cannot be released"),
    ({"replicas": 3}, "spec.replicas", "has 5 replicas"),
    ({"progressDeadlineSeconds": 5, "minReadySeconds": 5}, "spec.progressDeadlineSeconds", "must be greater than"),
    (
        {"strategy__canary__steps": [{"setWeight": 101}]},
        f"{CANARY}.steps[0].setWeight",
        "SetWeight needs to be between 0 and 100",
    ),
    ({"strategy__canary__steps": [{}]}, f"{CANARY}.steps[0]", "Step must have one of the following set"),
    ({"strategy__canary__steps": [{"pause": {}, "setWeight": 1}]}, f"{CANARY}.steps[0]", "setWeight, pause at once"),
    (
        {"strategy__canary__steps": [{"pause": {"duration": "soon"}}]},
        f"{CANARY}.steps[0].pause.duration",
        "Duration needs to be greater than 0",
    ),
    (
        {"strategy__canary__steps": [{"pause": {"duration": -1}}]},
        f"{CANARY}.steps[0].pause.duration",
        "Duration needs to be greater than 0",
    ),
    ({"strategy__canary__steps": [{"experiment": {}}]}, f"{CANARY}.steps[0].experiment", "its pods run for some time"),
    ({"strategy__canary__steps": [HEADER]}, f"{CANARY}.steps[0].setHeaderRoute", "SetHeaderRoute requires"),
    (
        {
            "strategy__canary__steps": [HEADER],
            "strategy__canary__trafficRouting__managedRoutes": [{"name": "b"}],
        },
        f"{CANARY}.steps[0].setHeaderRoute.name",
        "Steps define a route that does not exist",
    ),
    (
        {
            "strategy__canary__steps": [
                HEADER,
                {"setMirrorRoute": {"name": "b", "match": [{"method": {"exact": "GET"}}]}},
            ],
            "strategy__canary__trafficRouting__managedRoutes": [{"name": "b"}],
            "strategy__canary__trafficRouting__istio": {"virtualService": {"name": "none"}},
        },
        f"{CANARY}.steps[0].setHeaderRoute.name",
        "Steps define a route that does not exist",
    ),
    ({"strategy__canary__steps": [HEADER]}, f"{ROUTING}.managedRoutes", "Rollout has missing field"),
    (
        {"strategy__canary__canaryService": "rollouts-demo-stable"},
        f"{CANARY}.canaryService",
        "This rollout uses the same service for the stable and canary services",
    ),
    ({"strategy__canary__stableService": None}, CANARY, "Canary service and Stable service must to be set"),
    ({"strategy__canary__trafficRouting__other": {}}, f"{ROUTING}.other", "is not known; there are alb, ambassador"),
    ({"strategy__canary__trafficRouting__alb": {"ingress": "a"}}, f"{ROUTING}.alb.servicePort", "is required"),
    (
        {"strategy__canary__trafficRouting__nginx__stableIngresses": ["a"]},
        f"{ROUTING}.nginx",
        "needs either stableIngress or stableIngresses",
    ),
    (
        {"strategy__canary__dynamicStableScale": True, "strategy__canary__scaleDownDelaySeconds": 3},
        f"{CANARY}.dynamicStableScale",
        "cannot be used with scaleDownDelaySeconds",
    ),
    ({"strategy__canary": {"steps": [HEADER]}}, f"{CANARY}.steps[0].setHeaderRoute", "requires TrafficRouting"),
    ({"strategy__canary": {}}, f"{CANARY}.steps", "without steps this is a plain rolling update"),
    ({"strategy__canary": {"maxSurge": 0, "maxUnavailable": 0}}, f"{CANARY}.maxSurge", "both can not be zero"),
    ({"strategy__canary__antiAffinity": {}}, f"{CANARY}.antiAffinity", "AntiAffinity must have exactly one strategy"),
]


@pytest.mark.parametrize(("changes", "field", "message"), MISTAKES)
def test_what_argo_refuses_and_what_is_not_rendered_is_said(changes: dict[str, Any], field: str, message: str) -> None:
    """Each mistake is told with the field in which it stands."""
    _, outcome = rendered(changed(**changes), {"step": "0"})
    assert outcome.failed
    said = [(result.field, result.message) for result in outcome.results if result.severity == ERROR]
    assert any(where == field and message in what for where, what in said), said
