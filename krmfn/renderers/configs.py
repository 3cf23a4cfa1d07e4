"""What pods read: what stable ones need stays while they run, and what has changed under its name is there twice."""

from krmfn.changes import GONE
from krmfn.config import VERSIONED
from krmfn.contents import CONTENT, encrypted
from krmfn.errors import KrmfnError
from krmfn.kinds import TWIN, carried
from krmfn.krm import load
from krmfn.krm.item import Ref
from krmfn.mounts import mounted
from krmfn.results import WARNING, Result
from krmfn.scene import bare
from krmfn.stage import STABLE, TARGET
from krmfn.view import Added, Edited, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Manifest

HASHED = ("internal.config.kubernetes.io/needsHashSuffix", "kustomize.config.k8s.io/needs-hash")


def render(view: View) -> "Iterator[Added | Edited | Result]":
    """Yield what is kept, what is there twice, and what is not.

    Raises KrmfnError where kustomize would still rename what both revisions mount.
    """
    yield from _versions(view) if view.versioned else _shared(view)
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


def _versions(view: View) -> "Iterator[Added | Edited | Result]":
    """Yield the old content under the author's name while stable pods read it, and the new one in a copy."""
    for one in view.versions:
        for key in CONTENT if view.stage.template == STABLE else ():
            if key in one.was or key in one.item.value:
                yield Edited(one.item, (key,), one.was.get(key, GONE))
        if view.stage.canary is not None:
            source = bare(one.item.value)
            metadata = {"name": one.copy} | carried(source["metadata"])
            yield Added(_marked(source | {"metadata": metadata}, view), one.item)
    if view.stage.canary is not None:
        yield from _encrypted(view)


def _encrypted(view: View) -> "Iterator[Result]":
    both = mounted(load(view.text(STABLE))) & mounted(load(view.text(TARGET))) - set(view.plan.unversioned)
    for kind, name in sorted(both):
        item = view.scene.lookup(Ref("v1", kind, view.workload.ref.namespace, name))
        if item is not None and encrypted(item.value):
            message = "is encrypted, so pods of both versions read it as it is now; give it a new name with new content"
            yield Result(WARNING, message, item.ref, "sops", item.path)


def _shared(view: View) -> "Iterator[Result]":
    """Warn of what changes for the stable pods as well."""
    message = "has changed under its name, and pods of both versions get the new content; give it a new name"
    if view.plan.style == TWIN:
        message += f", or say `configs: {VERSIONED}` in the function config"
    for one in view.versions if view.stage.canary is not None else ():
        yield Result(WARNING, message, one.item.ref, "data", one.item.path)


def _marked(manifest: "Manifest", view: View) -> "Manifest":
    return manifest | {"metadata": view.owned(manifest["metadata"])}


def _check_hash(manifest: "Manifest", shared: bool, view: View) -> None:  # noqa: FBT001
    annotations = manifest["metadata"].get("annotations") or {}
    if shared and view.stage.canary is not None and any(key in annotations for key in HASHED):
        message = (
            f"both revisions mount the generated {manifest['kind']} {manifest['metadata']['name']}, to whose name "
            "kustomize has yet to add its hash, so both would get the new content; run krmfn on the output of "
            "kustomize build"
        )
        raise KrmfnError(message, ref=view.workload.ref, field="spec.template.spec")
