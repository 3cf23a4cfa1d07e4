"""The ConfigMaps that stable pods mount: they stay while those pods run, whatever the new version mounts."""

from krmfn.config import ROLLOUT
from krmfn.errors import KrmfnError
from krmfn.isolation import short
from krmfn.krm import load
from krmfn.krm.item import Ref
from krmfn.mounts import mounted
from krmfn.results import WARNING, Result
from krmfn.stage import STABLE, TARGET
from krmfn.view import Added, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Manifest

HASHED = ("internal.config.kubernetes.io/needsHashSuffix", "kustomize.config.k8s.io/needs-hash")


def render(view: View) -> "Iterator[Added | Result]":
    """Yield the kept ConfigMaps. Raises KrmfnError where kustomize would still rename what both revisions mount."""
    if view.stage.template != STABLE or not view.revisions.target:
        return
    stable, target = mounted(load(view.text(STABLE))), mounted(load(view.text(TARGET)))
    kept = dict(view.configs)
    for kind, name in sorted(stable):
        item = view.scene.lookup(Ref("v1", kind, view.workload.ref.namespace, name))
        if item is not None:
            _check_hash(item.value, (kind, name) in target, view)
        elif kind == "ConfigMap" and name in kept:
            yield Added(_marked(load(kept[name]), view), view.workload)
        elif (kind, name) not in target:
            message = (
                f"stable pods mount the {kind} {name}, which is not in the package any more; it has to stay in the "
                "cluster until the release is complete, so put it back until then"
            )
            yield Result(WARNING, message, view.workload.ref, "spec.template.spec", view.workload.path)


def _marked(manifest: "Manifest", view: View) -> "Manifest":
    metadata = manifest["metadata"]
    labels = (metadata.get("labels") or {}) | {ROLLOUT: short(view.plan.rollout.name)}
    return manifest | {"metadata": metadata | {"labels": labels}}


def _check_hash(manifest: "Manifest", shared: bool, view: View) -> None:  # noqa: FBT001
    annotations = manifest["metadata"].get("annotations") or {}
    if shared and view.stage.canary is not None and any(key in annotations for key in HASHED):
        message = (
            f"both revisions mount the generated {manifest['kind']} {manifest['metadata']['name']}, to whose name "
            "kustomize has yet to add its hash, so both would get the new content; run krmfn on the output of "
            "kustomize build"
        )
        raise KrmfnError(message, ref=view.workload.ref, field="spec.template.spec")
