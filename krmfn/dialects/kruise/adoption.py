"""Moving over from Kruise Rollouts: the Rollout is disabled, then it leaves; its pods belong to the workload anyway.

Sources: at rest neither disabling nor deleting a Rollout moves a pod; in the middle of a release each of them brings
the new version to everyone. The webhook stops a workload whose template changes unless its Rollout is Disabled.
"""

from krmfn.adoption import MARK, Commit, Signs, apart, kubectl, released, show
from krmfn.dialects.kruise.reader import ALPHA, GROUP, Reader
from krmfn.dialects.kruise.routes import ROUTING
from krmfn.krm.item import Ref
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene

RESTING = ("Healthy", "Disabled", "Initial")
# What the webhook and the controllers write into objects for as long as a release is under way.
ANNOTATIONS = (
    f"{GROUP}/in-progressing",
    f"batchrelease.{GROUP}/control-info",
    f"{GROUP}/deployment-strategy",
    f"{GROUP}/deployment-extra-status",
    f"{GROUP}/original-deployment-strategy",
    f"{GROUP}/original-spec-configuration",
    f"{GROUP}/daemonset-advanced-control",
)
LABELS = (f"{GROUP}/controlled-by-advanced-deployment-controller",)
CANARY = f"{GROUP}/canary-deployment"
# What they leave behind.
LEFT = (f"{GROUP}/workload-type", f"{GROUP}/stable-revision")
HASHES = ("pod-template-hash", "controller-revision-hash")
PAUSED = "-DisableByRollout"


def adoption(rollout: "Item", scene: "Scene") -> tuple[Commit, ...]:
    """Return the commits. Raises ``Refused`` with all that says that a release is under way."""
    reader = Reader(rollout, scene)
    workload = scene.lookup(reader.workload)
    _check(reader, rollout, workload)
    disabled = reader.spec.flag("disabled") and not reader.annotations.has(MARK)
    own = f"`{show(rollout.ref, '.status.phase')}`"
    first = Commit(
        "The Rollout is disabled",
        f"Until then a webhook stops {reader.workload} as soon as its pod template changes, for that is how a release "
        "begins. Nothing is released now, so no pod moves.",
        (f"wait until its phase is Disabled: {own}", *_at_rest(reader.workload)),
        before=(f"see that it is Healthy; in the middle of a release this would bring the new version to all: {own}",),
        edits=(Edited(rollout, ("spec", "disabled"), True),),  # noqa: FBT003 - it is a value
    )
    last = Commit(
        "The Rollout is no longer applied",
        "From here on it is read by krmfn alone, and position 0 is what stands in Git. It owns nothing that runs.",
        tuple(_last(reader, rollout)),
        edits=(
            Edited(rollout, ("spec", "disabled")),
            *released(rollout),
            *(_cleaned(workload) if workload else ()),
            *_routing(reader, scene),
        ),
    )
    return (last,) if disabled else (first, last)


def _check(reader: Reader, rollout: "Item", workload: "Item | None") -> None:
    signs, scene = Signs(rollout), reader.scene
    signs.paused(signs.top.mapping("spec").mapping("strategy").at("paused"))
    signs.phase(signs.top.mapping("status").at("phase"), RESTING)
    if workload:
        fields = signs.of(workload)
        signs.stands(fields.mapping("metadata").mapping("annotations"), ANNOTATIONS)
        signs.stands(fields.mapping("metadata").mapping("labels"), LABELS)
        if fields.mapping("spec").flag("paused"):
            fields.mapping("spec").at("paused").problem("is true: the controller holds its pods; end the release first")
    _check_others(reader, signs)
    for item in scene.of_kind(GROUP, "BatchRelease", reader.workload.name):
        signs.of(item).mapping("spec").problem(
            f"is the controller's part of a release of {reader.workload}; end it first"
        )
    for item in scene.of_kind("apps", "Deployment", CANARY, reader.workload.name):
        message = f"is the controller's canary of {reader.workload}; end the release first"
        signs.of(item).mapping("metadata").mapping("labels").at(CANARY).problem(message)
    for item in scene.of_kind("autoscaling", "HorizontalPodAutoscaler", f"{reader.workload.name}{PAUSED}"):
        signs.of(item).mapping("spec").at("scaleTargetRef").problem(
            f"ends with {PAUSED}: a blue-green release is under way"
        )
    signs.settle()


def _check_others(reader: Reader, signs: Signs) -> None:
    """Look at the Services and routes that the Rollout names."""
    for routing in reader.strategy.sequence("trafficRoutings"):
        service = routing.text("service")
        item = reader.scene.lookup(Ref("v1", "Service", reader.workload.namespace, service))
        if item:
            signs.stands(signs.of(item).mapping("spec").mapping("selector"), HASHES)
        _check_canary(reader, signs, f"{service}-canary")
        for entry in routing.sequence("customNetworkRefs"):
            ref = Ref(entry.text("apiVersion"), entry.text("kind"), reader.workload.namespace, entry.text("name"))
            if route := reader.scene.lookup(ref):
                signs.stands(signs.of(route).mapping("metadata").mapping("annotations"), ANNOTATIONS)
                signs.weighs(route, f"{service}-canary")
        name = routing.mapping("gateway").text("httpRouteName")
        if route := reader.scene.lookup(
            Ref("gateway.networking.k8s.io/v1", "HTTPRoute", reader.workload.namespace, name)
        ):
            signs.weighs(route, f"{service}-canary")


def _check_canary(reader: Reader, signs: Signs, name: str) -> None:
    if item := reader.scene.lookup(Ref("v1", "Service", reader.workload.namespace, name)):
        signs.of(item).mapping("metadata").at("name").problem(
            "is that of the controller's canary Service; end the release"
        )


def _at_rest(workload: Ref) -> "Iterator[str]":
    if (workload.group, workload.kind) == ("apps", "Deployment"):
        shown = show(workload, ".spec.paused", ".spec.strategy.type")
        yield f"see that {workload} is neither paused nor of strategy Recreate: `{shown}`"


def _last(reader: Reader, rollout: "Item") -> "Iterator[str]":
    yield f"wait until it is gone; a host that does not prune needs `{kubectl('delete', rollout.ref)}`"
    cleaned = kubectl("label", reader.workload, *(f"{key}-" for key in LEFT))
    yield f"labels that are left on {reader.workload} are harmless, and go with `{cleaned}`"


def _cleaned(workload: "Item") -> "Iterator[Edited]":
    labels: Manifest = (workload.value.get("metadata") or {}).get("labels") or {}
    yield from (Edited(workload, ("metadata", "labels", key)) for key in LEFT if key in labels)


def _routing(reader: Reader, scene: "Scene") -> "Iterator[Edited]":
    """Yield what keeps a TrafficRouting of the package out of the cluster: it is krmfn's from now on."""
    name = reader.annotations.text(ROUTING)
    item = scene.lookup(Ref(f"{GROUP}/{ALPHA}", "TrafficRouting", reader.workload.namespace, name)) if name else None
    if item:
        yield from apart(item)
