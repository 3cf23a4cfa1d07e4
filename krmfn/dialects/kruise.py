"""OpenKruise Rollouts: ``rollouts.kruise.io/v1alpha1`` and ``v1beta1`` ``Rollout``.

Sources: the API reference and the validating webhook of Kruise Rollouts; what its controllers make of each field.
"""

import re
from itertools import pairwise

from krmfn.fields import Fields
from krmfn.krm import Item
from krmfn.krm.item import Ref
from krmfn.plan import EXACT, PREFIX, REGEX, Amount, Condition, Gate, Match, Pair, Plan, Route, Step, Traffic
from krmfn.results import WARNING, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STYLE = "rollouts.kruise.io/rolling-style"
ALPHA, BETA = "v1alpha1", "v1beta1"
ALL = 100
_PERCENT = re.compile(r"([+-]?[0-9]+)%")
_TYPES = (EXACT, REGEX)


def plan(rollout: Item) -> Plan:
    """Return the plan of a Rollout. Raises ``Refused`` naming every field that is wrong."""
    top = Fields(rollout.value, rollout.ref)
    version = rollout.ref.api_version.rpartition("/")[2]
    if version not in (ALPHA, BETA):
        top.at("apiVersion").problem(f"{rollout.ref.api_version} is not known; use {rollout.ref.group}/{BETA}")
        top.settle()
    spec = top.mapping("spec", required=True)
    workload, field = _workload(spec, version, rollout.ref.namespace)
    canary = _strategy(spec)
    _check_style(top, canary, version)
    remarks: list[Result] = []
    steps = tuple(_step(place, version, remarks) for place in canary.sequence("steps"))
    if not steps and canary:
        canary.at("steps").problem("has no step")
    _check_order(canary, steps)
    services, routes = _routings(canary)
    patch = canary.mapping("patchPodTemplateMetadata")
    labels, annotations = patch.labels("labels"), patch.labels("annotations")
    top.settle()
    return Plan(
        rollout=rollout.ref,
        workload=workload,
        workload_field=field,
        style="twin",
        steps=steps,
        services=services,
        routes=routes,
        pod_labels=tuple(labels.items()),
        pod_annotations=tuple(annotations.items()),
        remarks=tuple(remarks),
    )


def _workload(spec: Fields, version: str, namespace: str) -> tuple[Ref, str]:
    place = spec.mapping("objectRef").mapping("workloadRef") if version == ALPHA else spec.mapping("workloadRef")
    if not place:
        place.problem("is required: it names the workload to release")
    api_version, kind = place.text("apiVersion", "apps/v1"), place.text("kind", "Deployment")
    name = place.text("name", required=bool(place))
    return Ref(api_version, kind, namespace, name), place.path


def _strategy(spec: Fields) -> Fields:
    strategy = spec.mapping("strategy", required=True)
    if strategy.has("canary") and strategy.has("blueGreen"):
        strategy.problem("has both canary and blueGreen; a rollout is one or the other, so remove one")
    elif strategy.has("blueGreen"):
        strategy.at("blueGreen").problem("blue-green is not rendered by this version of krmfn; use canary")
    elif strategy and not strategy.has("canary"):
        strategy.problem("has neither canary nor blueGreen")
    return strategy.mapping("canary")


def _check_style(top: Fields, canary: Fields, version: str) -> None:
    """Refuse the partition style, which v1beta1 means when it does not ask for an extra workload."""
    if not canary:
        return
    if version == BETA:
        place, is_canary = canary.at("enableExtraWorkloadForCanary"), canary.flag("enableExtraWorkloadForCanary")
        advice = "set it to true for a canary Deployment beside the stable one"
    else:
        place = top.mapping("metadata").mapping("annotations").at(STYLE)
        is_canary = str(place.value or "canary").lower() == "canary"
        advice = 'set it to "canary" for a canary Deployment beside the stable one'
    if not is_canary:
        place.problem(f"asks for the partition style, which this version of krmfn does not render; {advice}")


def _step(place: Fields, version: str, remarks: list[Result]) -> Step:
    weight = _weight(place, version)
    matches = tuple(_match(entry) for entry in place.sequence("matches"))
    pods = _pods(place, weight)
    pause = place.mapping("pause").whole("duration")
    if matches and weight is not None:
        message = "has a weight beside matches; the matches win, and the rest goes to the stable side"
        remarks.append(Result(WARNING, message, place.ref, place.path))
        weight = None
    modifier = "set" if place.has("requestHeaderModifier") else ""
    return Step(pods, Traffic(weight, matches, modifier), Gate(pause), place.path)


def _weight(place: Fields, version: str) -> int | None:
    if version == ALPHA:
        return place.whole("weight", 0, 100)
    field = place.at("traffic")
    if field.value is None:
        return None
    found = _percent(field)
    if found is not None and not 0 < found <= ALL:
        field.problem(f"{field.value} is out of range: 1% to 100%")
    return found


def _pods(place: Fields, weight: int | None) -> Amount:
    field = place.at("replicas")
    if field.value is None:
        if not place.has("weight"):
            field.problem("is required: how many pods run the new version at this step")
        return Amount(weight or 0, percent=True)
    if isinstance(field.value, str):
        percent = _percent(field)
        if percent is not None and not 0 < percent <= ALL:
            field.problem(f"{field.value} is out of range: 1% to 100%")
        return Amount(percent or 0, percent=True)
    return Amount(place.whole("replicas", least=1) or 0)


def _percent(field: Fields) -> int | None:
    """Read ``N%`` with a whole N, as the webhook does: no ``33.3%``, no ``50``."""
    found = _PERCENT.fullmatch(field.value) if isinstance(field.value, str) else None
    if found is None:
        message = f'{field.value!r} is no percentage; write a whole number and a percent sign, such as "33%"'
        counts = field.path.endswith("replicas")
        field.problem(f"{message}, or a number of pods without quotes" if counts else message)
        return None
    return int(found.group(1))


def _match(place: Fields) -> Match:
    conditions = [*_conditions(place, "headers", "header"), *_conditions(place, "queryParams", "query")]
    path = place.mapping("path")
    found = None
    if path:
        found = (path.text("type", PREFIX, choices=(EXACT, PREFIX, REGEX)), path.text("value", "/"))
    return Match(tuple(conditions), found)


def _conditions(place: Fields, key: str, part: str) -> "Iterator[Condition]":
    for entry in place.sequence(key):
        name = entry.text("name", required=not entry.has("key")) or entry.text("key")
        kind = entry.text("type", EXACT, choices=_TYPES)
        value = entry.text("value", required=True)
        if name == "canary-by-cookie":
            yield Condition("cookie", value, "always")
        else:
            yield Condition(part, name, value, kind)


def _check_order(canary: Fields, steps: tuple[Step, ...]) -> None:
    for number, (before, after) in enumerate(pairwise(steps), 1):
        comparable = before.pods.percent == after.pods.percent and 0 < after.pods.number < before.pods.number
        if comparable and not (before.pods.percent and before.pods.number > ALL):
            place = Fields(None, canary.ref, f"{after.field}.replicas", canary.problems)
            place.problem(f"is {after.pods}, less than the {before.pods} of step {number}; replicas may not decrease")


def _routings(canary: Fields) -> tuple[tuple[Pair, ...], tuple[Route, ...]]:
    found = list(canary.sequence("trafficRoutings"))
    if len(found) > 1:
        found[1].problem("is a second entry; Kruise takes one, so put all routes into the first")
    pairs: list[Pair] = []
    routes: list[Route] = []
    for place in found[:1]:
        service = place.text("service", required=True)
        pair = Pair(service, f"{service}-canary", f"{place.path}.service")
        pairs.append(pair)
        routes += _routes(place, pair)
        if not routes:
            place.problem("names no route; add ingress, or customNetworkRefs")
    return tuple(pairs), tuple(routes)


def _routes(place: Fields, pair: Pair) -> "Iterator[Route]":
    ingress = place.mapping("ingress")
    if ingress:
        name = ingress.text("name", required=True)
        variant = ingress.text("classType", "nginx")
        yield Route("networking.k8s.io", "Ingress", name, variant, pair, f"{ingress.path}.name")
    if place.has("gateway"):
        place.at("gateway").problem("Gateway API routes are not rendered by this version of krmfn; use ingress")
    for entry in place.sequence("customNetworkRefs"):
        group = entry.text("apiVersion", required=True).rpartition("/")[0]
        kind, name = entry.text("kind", required=True), entry.text("name", required=True)
        yield Route(group, kind, name, "", pair, f"{entry.path}.name")
