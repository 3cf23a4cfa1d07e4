"""Two workloads that share the pods: the author's, and the canary beside it."""

from krmfn.distance import distant
from krmfn.errors import KrmfnError
from krmfn.isolation import canary_selector, canary_template, labels
from krmfn.kinds import TWIN, WORKLOADS, embodied
from krmfn.krm import load
from krmfn.krm.item import Ref
from krmfn.revisions import TEMPLATE
from krmfn.selectors import chooses
from krmfn.stage import TARGET
from krmfn.view import Added, Edited, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Manifest

# A label that no node has.
NOWHERE = "krmfn.dev/nowhere"


def render(view: View) -> "Iterator[Added | Edited]":
    """Yield the author's template, and the canary workload. Raises KrmfnError for one that cannot run."""
    if view.plan.style != TWIN:
        return
    template = view.stage.template
    _check_selector(view, view.workload.value["spec"]["selector"], view.template(template))
    yield Edited(view.workload, TEMPLATE, view.template(template), view.stamped_text(template))
    if view.plan.shares and view.body == view.workload.ref:
        yield Edited(view.workload, ("spec", "replicas"), view.stage.stable)
    if view.stage.canary is not None:
        _check_claims(view)
        canary = _canary(view)
        _check_selector(view, canary["spec"]["selector"], canary["spec"]["template"])
        yield Added(canary, view.workload)


def _canary(view: View) -> "Manifest":
    source = embodied(view.workload.value)
    spec = source["spec"] | {
        "replicas": view.stage.canary,
        "selector": canary_selector(source["spec"]["selector"], view.isolation),
        "template": _template(view, source["spec"]["selector"]),
    }
    counted = WORKLOADS[view.body.group, view.body.kind].replicas
    if not counted or (view.stage.canary and view.owns_autoscaler):
        del spec["replicas"]
    if not counted and not view.stage.canary:
        spec["template"] = _nowhere(spec["template"])
    return view.copied(source, view.canary.name, spec)


def _nowhere(template: "Manifest") -> "Manifest":
    """Return the template of pods that no node takes: the way to have none of a workload that runs one on each."""
    pod = template.get("spec") or {}
    return template | {"spec": pod | {"nodeSelector": (pod.get("nodeSelector") or {}) | {NOWHERE: "true"}}}


def _template(view: View, selector: "Manifest") -> "Manifest":
    template = canary_template(view.reading(), view.isolation, view.plan)
    if view.plan.avoids is None:
        return template
    return distant(template, selector, view.isolation, view.plan.avoids)


def _check_selector(view: View, selector: "Manifest", template: "Manifest") -> None:
    """Refuse an isolation whose label the author's selector rules out."""
    if not chooses(selector, labels(template)):
        message = (
            f"does not let pods have {view.isolation.key}={labels(template).get(view.isolation.key)}, by which "
            f"isolation {view.isolation.mode} tells them apart; choose another `isolation:`"
        )
        field = "spec.selector.matchExpressions"
        raise KrmfnError(message, ref=view.workload.ref, field=field, file=view.workload.path)


def _check_claims(view: View) -> None:
    """Refuse pods that cannot run twice: on one host port, or with one volume that a single node may mount."""
    pod = load(view.text(TARGET)).get("spec") or {}
    shared = pod.get("hostNetwork") and not WORKLOADS[view.body.group, view.body.kind].replicas
    for container in pod.get("containers") or ():
        if any(shared or port.get("hostPort") for port in container.get("ports") or ()):
            message = (
                f"container {container.get('name')} has a hostPort, so a canary pod never becomes ready on a node that "
                "runs a stable one; remove the hostPort, or release this workload without a canary"
            )
            raise KrmfnError(message, ref=view.workload.ref, field="spec.template.spec.containers")
    for volume in pod.get("volumes") or ():
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        claim = name and view.scene.lookup(Ref("v1", "PersistentVolumeClaim", view.workload.ref.namespace, name))
        if claim and not {"ReadWriteMany", "ReadOnlyMany"} & set(
            (claim.value.get("spec") or {}).get("accessModes") or ()
        ):
            message = f"mounts the claim {name}, which only one node may mount, so a canary pod never becomes ready"
            raise KrmfnError(message, ref=view.workload.ref, field="spec.template.spec.volumes", file=claim.path)
