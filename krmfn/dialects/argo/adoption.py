"""Moving over from Argo Rollouts: pods that belong to no Rollout, then Services that choose them, then no Rollout.

Sources: deleting a Rollout deletes its ReplicaSets and their pods; `paused` stops scaling and the switching of
Services; the hash in a Service's selector is written into the cluster alone. To an apply on the server's side a
selector is one value, so that one without the hash replaces it, and null in it is an empty value, which no pod has; on
the client's side nothing but null removes a key.
"""

from krmfn.adoption import Commit, Signs, crowd, kept, kubectl, released, selectors, show, without
from krmfn.dialects.argo import actions, nodes
from krmfn.dialects.argo.reader import HASH, Reader
from krmfn.kinds import AUTOSCALERS, body
from krmfn.krm.item import Ref
from krmfn.scaling import least
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene

MANAGED = "argo-rollouts.argoproj.io/managed-by-rollouts"
IN_PROGRESS = ("rollouts.argoproj.io/gatewayapi-canary",)
RESTING = ("Healthy",)
PING_PONG = ("pingService", "pongService")
RULE = ("networking.istio.io/v1", "DestinationRule")
SERVICES = ("stableService", "canaryService", "activeService", "previewService")
NGINX = "nginx.ingress.kubernetes.io/canary"
ROUTES = (
    ("networking.istio.io", "VirtualService"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "GRPCRoute"),
    ("gateway.networking.k8s.io", "TCPRoute"),
    ("gateway.networking.k8s.io", "TLSRoute"),
    ("traefik.io", "TraefikService"),
    ("traefik.containo.us", "TraefikService"),
    ("apisix.apache.org", "ApisixRoute"),
    ("split.smi-spec.io", "TrafficSplit"),
)


def adoption(rollout: "Item", scene: "Scene") -> tuple[Commit, ...]:
    """Return the commits. Raises ``Refused`` with all that says that a release is under way."""
    reader = Reader(rollout, scene)
    services, rule = list(_services(reader, scene)), _rule(reader, scene)
    _check(reader, rollout, (services, rule))
    pods, edits = body(reader.workload), list(_workload(reader, rollout, scene))
    first = Commit(
        f"{pods} runs beside the pods of the Rollout",
        "Deleting a Rollout deletes its pods, so there have to be others. Paused, the controller neither scales nor "
        "turns a Service any more; the annotations keep hosts from deleting it, and its pods, when it leaves Git.",
        tuple(_ready(reader, scene)),
        before=tuple(_before(reader, rollout, _scaler(reader, scene))),
        edits=(Edited(rollout, ("spec", "paused"), True), *kept(rollout), *edits, *nodes.cleaned(reader)),  # noqa: FBT003 - it is a value
        brings=(pods,) if reader.inline else (),
    )
    last = Commit(
        "The Rollout is no longer applied",
        "From here on it is read by krmfn alone, and position 0 is what stands in Git.",
        tuple(_last(reader, rollout)),
        edits=(Edited(rollout, ("spec", "paused")), *released(rollout)),
    )
    return (first, _turned(reader, services, rule), last) if services or rule else (first, last)


def _before(reader: Reader, rollout: "Item", scaler: "Item | None") -> "Iterator[str]":
    shown = show(rollout.ref, ".status.phase")
    yield f"see that it is Healthy, so that the version in Git is the one that runs: `{shown}`"
    if place := reader.canary.mapping("pingPong"):
        ping, pong = (place.text(key) for key in PING_PONG)
        shown = show(rollout.ref, ".status.canary.stablePingPong")
        yield (
            f"see which of {ping} and {pong} has the requests: `{shown}` (ping or pong; pong where it says nothing), "
            "and let the route in Git send them all there: until the second commit the other may select no pod"
        )
    if scaler:
        yield crowd(scaler, "the Rollout")


def _services(reader: Reader, scene: "Scene") -> "Iterator[Item]":
    places = ((reader.blue_green or reader.canary, SERVICES), (reader.canary.mapping("pingPong"), PING_PONG))
    for name in dict.fromkeys(place.text(key) for place, keys in places for key in keys):
        if item := scene.lookup(Ref("v1", "Service", reader.namespace, name)) if name else None:
            yield item


def _rule(reader: Reader, scene: "Scene") -> "Item | None":
    """Return the DestinationRule by whose subsets the sides are told apart."""
    name = reader.routing.mapping("istio").mapping("destinationRule").text("name")
    return scene.lookup(Ref(RULE[0], RULE[1], reader.namespace, name)) if name else None


def _check(reader: Reader, rollout: "Item", found: "tuple[list[Item], Item | None]") -> None:
    signs = Signs(rollout)
    _check_status(signs)
    services, rule = found
    places = [signs.of(item).mapping("spec").mapping("selector").at(HASH) for item in services]
    subsets = signs.of(rule).mapping("spec").sequence("subsets") if rule else ()
    places += [subset.mapping("labels").at(HASH) for subset in subsets]
    # Of Services that change places, the idle one has the version before at rest, too.
    pair = tuple(reader.canary.mapping("pingPong").text(key) for key in PING_PONG)
    if not all(pair) and len({place.value for place in places if place.value is not None}) > 1:
        for place in places:
            place.problem(f"is {place.value}, and two versions are selected; end the release first")
    canary = reader.canary.text("canaryService")
    subset = reader.routing.mapping("istio").mapping("destinationRule").text("canarySubsetName")
    for (group, kind), word in ((route, word) for route in ROUTES for word in (canary, subset) if word):
        for item in reader.scene.of_kind(group, kind, word):
            signs.stands(signs.of(item).mapping("metadata").mapping("labels"), IN_PROGRESS)
            signs.weighs(item, word)
    for item in (item for route in ROUTES if all(pair) for item in reader.scene.of_kind(*route, *pair)):
        signs.divides(item, pair)
        if stable := signs.top.mapping("status").mapping("canary").text("stablePingPong"):
            signs.weighs(item, pair[stable == "ping"])
    _check_ingresses(reader, signs, canary)
    signs.settle()


def _check_status(signs: Signs) -> None:
    signs.paused(signs.top.mapping("spec").at("paused"))
    status = signs.top.mapping("status")
    signs.phase(status.at("phase"), RESTING)
    if status.flag("abort"):
        status.at("abort").problem(
            "is true: the release was aborted; put the version that runs into Git and let it settle"
        )
    if (
        status.has("stableRS")
        and status.has("currentPodHash")
        and status.text("stableRS") != status.text("currentPodHash")
    ):
        status.at("currentPodHash").problem("is not that of stableRS: two versions run; end the release first")


def _check_ingresses(reader: Reader, signs: Signs, canary: str) -> None:
    """Refuse the Ingress that the controller makes: it is none of the author's, and a release adds one of that name."""
    for item in reader.scene.of_kind("networking.k8s.io", "Ingress", NGINX, canary) if canary else ():
        message = f"is made by the controller for {canary}; end the release, and take it out of the package"
        signs.of(item).mapping("metadata").mapping("annotations").at(NGINX).problem(message)


def _workload(reader: Reader, rollout: "Item", scene: "Scene") -> "Iterator[Edited]":
    """Yield what gives the Deployment its pods: their number, and an autoscaler of the Rollout."""
    pods, scaler = body(reader.workload), _scaler(reader, scene)
    if reader.spec.mapping("workloadRef").text("scaleDown", "never") != "never":
        yield Edited(rollout, ("spec", "workloadRef", "scaleDown"), "never")
    item = None if reader.inline else scene.lookup(reader.workload)
    if item is not None:
        there, wanted = (item.value.get("spec") or {}).get("replicas"), _replicas(reader, scene)
        if not there or (reader.spec.has("replicas") and there != wanted and not scaler):
            yield Edited(item, ("spec", "replicas"), wanted)
    if scaler:
        target = {"apiVersion": pods.api_version, "kind": pods.kind, "name": pods.name}
        yield Edited(scaler, ("spec", "scaleTargetRef"), target)


def _scaler(reader: Reader, scene: "Scene") -> "Item | None":
    for group, kind in AUTOSCALERS:
        for item in scene.of_kind(group, kind, reader.name):
            target = (item.value.get("spec") or {}).get("scaleTargetRef")
            names = ("Rollout", body(reader.workload).kind)
            if isinstance(target, dict) and target.get("kind") in names and target.get("name") == reader.name:
                return item
    return None


def _replicas(reader: Reader, scene: "Scene") -> int:
    scaler, wanted = _scaler(reader, scene), reader.spec.whole("replicas")
    return max(1, least(scaler)) if scaler else 1 if wanted is None else wanted


def _ready(reader: Reader, scene: "Scene") -> "Iterator[str]":
    pods = body(reader.workload)
    yield from nodes.owned(reader)
    number = "as many pods available as the Rollout" if _scaler(reader, scene) else "all its pods available"
    yield f"wait until {pods} has {number}: `{kubectl('rollout status', pods)}`"


def _turned(reader: Reader, services: "list[Item]", rule: "Item | None") -> Commit:
    pods, names = body(reader.workload), [str(item.ref) for item in services]
    return Commit(
        f"Requests may be answered by {pods}",
        f"In the cluster the controller has added {HASH} to {', '.join([*names, *([str(rule.ref)] if rule else [])])}, "
        "and only the pods of the Rollout have that label. An apply on the server's side replaces a selector by the "
        "one in Git, and the label is gone.",
        tuple(_waits(reader, services, rule)),
        edits=(*_cleaned(services, rule), *actions.written(reader)),
        nulls=tuple((item, ("spec", "selector", HASH)) for item in services),
    )


def _cleaned(services: "list[Item]", rule: "Item | None") -> "Iterator[Edited]":
    for item in services:
        if HASH in ((item.value.get("spec") or {}).get("selector") or {}):
            yield Edited(item, ("spec", "selector", HASH))
        yield from without(item, MANAGED)
    if rule:
        yield from without(rule, MANAGED)
        subsets = (rule.value.get("spec") or {}).get("subsets") or []
        if any(HASH in (subset.get("labels") or {}) for subset in subsets):
            yield Edited(rule, ("spec", "subsets"), [_unhashed(subset) for subset in subsets])


def _unhashed(subset: "Manifest") -> "Manifest":
    return subset | {"labels": {key: value for key, value in (subset.get("labels") or {}).items() if key != HASH}}


def _waits(reader: Reader, services: "list[Item]", rule: "Item | None") -> "Iterator[str]":
    patch = f"""'{{"spec":{{"selector":{{"{HASH}":null}}}}}}'"""
    hand = "; ".join(f"`{kubectl('patch', item.ref, '--type=merge', '-p', patch)}`" for item in services)
    if services:
        yield f"wait until no selector has {HASH}: `{selectors(item.ref for item in services)}`"
        yield f"one still has it where the host applies on the client's side: use --client-side, or by hand {hand}"
    if rule:
        yield f"wait until no subset has {HASH}: `{show(rule.ref, '.spec.subsets')}`"
    yield f"wait until requests reach the pods of {body(reader.workload)}, too"


def _last(reader: Reader, rollout: "Item") -> "Iterator[str]":
    yield f"by hand: `{kubectl('delete', rollout.ref, '--cascade=orphan')}`"
    pods = body(reader.workload)
    yield (
        f"wait until the ReplicaSets that it leaves behind have no pods: {pods} takes them for old ones of its own, "
        "for they fit its selector, and scales them down"
    )
    yield from actions.reset(reader)
    if reader.routing.has("nginx"):
        yield f"the Ingresses {reader.name}-…-canary stay at weight 0, and the first release takes them over"
