"""The object in which the stable pods run, where the author's is of a kind that only a controller could run."""

from krmfn.isolation import marked
from krmfn.kinds import embodied
from krmfn.scaling import autoscaler
from krmfn.scene import bare
from krmfn.view import Added, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Manifest


def render(view: View) -> "Iterator[Added]":
    """Yield it, at every position: it is the author's workload, in a form that a cluster can run."""
    if view.body.kind == view.workload.ref.kind:
        return
    manifest = embodied(bare(view.workload.value))
    spec = {"replicas": view.stage.stable} | manifest["spec"] | {"template": _template(view)}
    if autoscaler(view.scene, view.workload) is None:
        spec["replicas"] = view.stage.stable
    else:
        del spec["replicas"]
    yield Added(manifest | {"metadata": view.owned(manifest["metadata"]), "spec": spec}, view.workload)


def _template(view: View) -> "Manifest":
    """Return the stable pods' template, with what only they have."""
    return marked(view.template(view.stage.template), view.plan.stable_labels, view.plan.stable_annotations)
