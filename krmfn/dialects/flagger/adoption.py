"""Moving over from Flagger: pods of the target again, then Services and a route that lead to them, then no Canary.

Sources: at rest the target has no pods, and the copy that Flagger made of it has all of them; while a Canary is
suspended nothing is done about it. The copy, the Services and the routes belong to the Canary, so they go when it is
deleted, unless what it owns is left behind. Services and routes carry annotations by which Flux leaves them alone.
"""

from krmfn.adoption import Commit, Signs, crowd, kept, kubectl, released, selectors, show, without
from krmfn.changes import GONE
from krmfn.dialects.flagger import revisions
from krmfn.dialects.flagger.providers import provided
from krmfn.dialects.flagger.reader import Reader
from krmfn.dialects.flagger.services import services
from krmfn.kinds import REVISIONS
from krmfn.krm.item import Ref
from krmfn.scaling import autoscaler, least
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene

RESTING = ("Initialized", "Succeeded")
FAILED = "Failed"
# By these Flux leaves an object alone that is in Git as well.
ALONE = ("kustomize.toolkit.fluxcd.io/reconcile-", "helm.toolkit.fluxcd.io/driftDetection-")
IDLE = "autoscaling.keda.sh/paused-replicas"
NODES = "flagger.app/scale-to-zero"
DAEMON = "DaemonSet"
NGINX, SKIPPER, APISIX = "nginx", "skipper", "apisix"


def adoption(rollout: "Item", scene: "Scene") -> tuple[Commit, ...]:
    """Return the commits. Raises ``Refused`` with all that says that a release is under way."""
    reader = Reader(rollout, scene)
    if reader.style == REVISIONS:
        _check(reader, rollout)
        return _suspended(reader, rollout), revisions.turned(reader), _let_go(reader, rollout)
    made = [*services(reader), *provided(reader)[1]]
    _check(reader, rollout)
    return (
        _suspended(reader, rollout),
        Commit(
            f"{reader.workload} has pods again",
            f"At rest Flagger keeps it at none, and {_copy(reader)} has them all.",
            tuple(_ready(reader, scene)),
            before=tuple(_before(reader, scene)),
            edits=tuple(_pods(reader, scene)),
        ),
        _led(reader, tuple(_ref(manifest) for manifest in made)),
        _let_go(reader, rollout),
    )


def _let_go(reader: Reader, rollout: "Item") -> Commit:
    return Commit(
        "The Canary is no longer applied",
        "From here on it is read by krmfn alone, and position 0 is what stands in Git.",
        tuple(_last(reader, rollout)),
        edits=(Edited(rollout, ("spec", "suspend")), *released(rollout)),
    )


def _suspended(reader: Reader, rollout: "Item") -> Commit:
    apex = tuple(_apex(reader, f"{reader.value}-primary"))
    edits = [Edited(rollout, ("spec", "suspend"), True), *apex]  # noqa: FBT003 - it is a value
    if reader.spec.flag("revertOnDeletion"):
        edits.append(Edited(rollout, ("spec", "revertOnDeletion"), False))  # noqa: FBT003 - it is a value
    return Commit(
        "The Canary is suspended",
        "Flagger does nothing about a suspended Canary, so nobody takes back what the next commits do. The annotations "
        "keep hosts from deleting it, and all that it owns, when it leaves Git."
        + (" Your Service selects what it does in the cluster, for Flagger no longer holds it there." if apex else ""),
        (f"wait until it is suspended: `{show(rollout.ref, '.spec.suspend')}`",),
        before=(_phase(rollout),),
        edits=(*edits, *kept(rollout)),
    )


def _led(reader: Reader, brought: tuple[Ref, ...]) -> Commit:
    return Commit(
        f"Services and routes lead to the pods of {reader.workload}",
        f"Flagger's lead to {_copy(reader)}. In Git they are {', '.join(map(str, brought))}.",
        tuple(_turned(reader, brought)),
        before=(_heard(reader, brought),),
        edits=tuple(_apex(reader, reader.value)),
        brings=brought,
    )


def _check(reader: Reader, rollout: "Item") -> None:
    signs, scene = Signs(rollout), reader.scene
    signs.paused(signs.top.mapping("spec").at("suspend"))
    phase = signs.top.mapping("status").at("phase")
    if phase.value == FAILED:
        phase.problem(
            f"is {FAILED}: {reader.workload} still has the version that was withdrawn; put the one that runs into Git, "
            f"and wait until it is {' or '.join(RESTING)}"
        )
    else:
        signs.phase(phase, RESTING)
    for kind in ("VirtualService", "HTTPRoute", "TraefikService", "HTTPProxy", "ApisixRoute", "TrafficSplit"):
        for item in scene.package.find(kind, reader.canary):
            if item.ref.kind == kind and item.ref.key not in scene.added:
                signs.weighs(item, reader.canary)
    if (beside := _beside(reader)) and (theirs := scene.lookup(beside)):
        message = "is made by Flagger beside the route that you name; end the release, and take it out of the package"
        signs.of(theirs).mapping("metadata").at("name").problem(message)
    revisions.divided(signs, reader)
    copy = _copy(reader)
    if theirs := scene.lookup(copy):
        message = f"is Flagger's copy of {reader.workload}; take it out of the package, it goes when the Canary is gone"
        signs.of(theirs).mapping("metadata").at("name").problem(message)
    signs.settle()


def _apex(reader: Reader, value: str) -> "Iterator[Edited]":
    """Yield what lets the author's own Service select other pods."""
    item = reader.scene.lookup(Ref("v1", "Service", reader.namespace, reader.apex))
    if item and reader.label in ((item.value.get("spec") or {}).get("selector") or {}):
        yield Edited(item, ("spec", "selector", reader.label), value)


def _copy(reader: Reader) -> Ref:
    return reader.workload.replace(name=f"{reader.workload.name}-primary")


def _beside(reader: Reader) -> Ref | None:
    """Return the route that Flagger makes beside the author's, by the providers that have one."""
    name = reader.spec.mapping("routeRef" if reader.provider == APISIX else "ingressRef").text("name")
    if reader.provider == APISIX:
        return Ref("apisix.apache.org/v2", "ApisixRoute", reader.namespace, f"{name}-{reader.apex}-canary")
    if reader.provider in (NGINX, SKIPPER):
        return Ref("networking.k8s.io/v1", "Ingress", reader.namespace, f"{name}-canary")
    return None


def _phase(rollout: "Item") -> str:
    shown = show(rollout.ref, ".status.phase")
    return f"see that its phase is {' or '.join(RESTING)}, so that the version in Git is the one that runs: `{shown}`"


def _pods(reader: Reader, scene: "Scene") -> "Iterator[Edited]":
    """Yield what gives the target its pods back."""
    item = reader.item
    if item is None:
        return
    spec = item.value.get("spec") or {}
    scaler = autoscaler(scene, item)
    if item.ref.kind != DAEMON and not spec.get("replicas"):
        yield Edited(item, ("spec", "replicas"), max(1, least(scaler)) if scaler else 1)
    if scaler:
        yield from without(scaler, IDLE)
    selector = ((spec.get("template") or {}).get("spec") or {}).get("nodeSelector") or {}
    if NODES in selector:
        left = {key: value for key, value in selector.items() if key != NODES}
        yield Edited(item, ("spec", "template", "spec", "nodeSelector"), left or GONE)


def _before(reader: Reader, scene: "Scene") -> "Iterator[str]":
    if reader.item and (scaler := autoscaler(scene, reader.item)):
        yield crowd(scaler, str(_copy(reader)))


def _ready(reader: Reader, scene: "Scene") -> "Iterator[str]":
    pods = reader.workload
    scaler = autoscaler(scene, reader.item) if reader.item else None
    if scaler and scaler.ref.kind == "ScaledObject":
        yield f"by hand, so that it is scaled again: `{kubectl('annotate', scaler.ref, f'{IDLE}-')}`"
    if pods.kind == DAEMON:
        patch = f"""'{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"{NODES}":null}}}}}}}}}}'"""
        yield f"by hand, so that it finds its nodes again: `{kubectl('patch', pods, '-p', patch)}`"
    yield f"wait until {pods} has as many pods available as {_copy(reader)}: `{kubectl('rollout status', pods)}`"


def _heard(reader: Reader, brought: tuple[Ref, ...]) -> str:
    apex = Ref("v1", "Service", reader.namespace, reader.apex)
    stays = (_beside(reader),) if reader.provider == NGINX else ()
    command = kubectl("annotate", tuple(filter(None, dict.fromkeys((apex, *brought, *stays)))), *ALONE)
    return f"Flux leaves alone what has Flagger's annotations; take them away: `{command}`"


def _turned(reader: Reader, brought: tuple[Ref, ...]) -> "Iterator[str]":
    apex = Ref("v1", "Service", reader.namespace, reader.apex)
    refs = dict.fromkeys((apex, *(one for one in brought if one.kind == "Service")))
    yield f"wait until each Service selects {reader.label}={reader.value}: `{selectors(refs)}`"
    yield f"wait until requests are answered by the pods of {reader.workload}, and by no others"
    if any(one.kind == "VirtualNode" for one in brought):
        restart = kubectl("rollout restart", reader.workload)
        yield f"by hand, some time: `{restart}`; the proxies in its pods are those of the canary until they start anew"


def _last(reader: Reader, rollout: "Item") -> "Iterator[str]":
    if reader.style == REVISIONS:
        yield f"by hand: `{kubectl('delete', rollout.ref)}`"
        ready = show(reader.workload, ".status.latestReadyRevisionName")
        yield f"wait until the revision is ready that the template names, of the same content: `{ready}`"
        return
    orphan = kubectl("delete", rollout.ref, "--cascade=orphan")
    yield f"by hand: `{orphan}`; without --cascade=orphan the Services and routes would go with it"
    yield f"by hand, for nobody uses it any more: `{kubectl('delete', _copy(reader))}`"
    if place := reader.spec.mapping("autoscalerRef"):
        ref = Ref(place.text("apiVersion"), place.text("kind"), reader.namespace, f"{place.text('name')}-primary")
        yield f"by hand: `{kubectl('delete', ref)}`"
    if beside := _beside(reader):
        if reader.provider == NGINX:
            yield f"{beside} stays at weight 0, and the first release takes it over"
        else:
            yield (
                f"by hand, for it may answer in the place of the route that a release divides: "
                f"`{kubectl('delete', beside)}`"
            )
    yield "by hand: the copies of ConfigMaps and Secrets, whose names end with -primary"


def _ref(manifest: "Manifest") -> Ref:
    metadata = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"])
