"""App Mesh: the hash that stands in VirtualNodes, which the controller writes into the cluster over what is in Git.

Its guide has a made-up value in Git, since a VirtualNode has to select something; no pod of a Deployment has either.
"""

from krmfn.adoption import kubectl
from krmfn.changes import GONE, at
from krmfn.dialects.argo.reader import HASH
from krmfn.isolation import labels
from krmfn.krm.item import Ref
from krmfn.selectors import matches
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader

MATCH = ("spec", "podSelector", "matchLabels")


def cleaned(reader: "Reader") -> "Iterator[Edited]":
    """Yield what takes the hash away; the canary's node then selects no pod at rest, for a pod has one node."""
    pods = _pods(reader)
    for side, ref in _refs(reader):
        item = reader.scene.lookup(ref)
        match = at(item.value, MATCH) if item else GONE
        if item is None or not isinstance(match, dict) or HASH not in match or len(match) == 1:
            continue
        left = {key: value for key, value in match.items() if key != HASH}
        if side == "canary" and matches(left, pods):
            key = next(iter(left))
            left[key] = f"{left[key]}-canary"
        yield Edited(item, MATCH, left)


def owned(reader: "Reader") -> "Iterator[str]":
    """Yield what gives the Deployment's pods a VirtualNode: those that the controller turned to its own have none."""
    patch = f"""'{{"spec":{{"podSelector":{{"matchLabels":{{"{HASH}":null}}}}}}}}'"""
    for _, ref in _refs(reader):
        hand = kubectl("patch", ref, "--type=merge", "-p", patch)
        yield f"by hand, for a pod that has to have a VirtualNode does not start without: `{hand}`"


def _refs(reader: "Reader") -> "Iterator[tuple[str, Ref]]":
    nodes = reader.routing.mapping("appMesh").mapping("virtualNodeGroup")
    for side in ("stable", "canary"):
        if name := nodes.mapping(f"{side}VirtualNodeRef").text("name"):
            yield side, Ref("appmesh.k8s.aws/v1beta2", "VirtualNode", reader.namespace, name)


def _pods(reader: "Reader") -> dict[str, str]:
    item = reader.scene.lookup(reader.workload)
    return labels(at(item.value, ("spec", "template"))) if item else {}
