"""KubeVela: ``core.oam.dev/v1beta1`` ``Application``, one of whose components is released step by step.

The release is asked for by the trait ``kruise-rollout`` or ``rolling-release`` of the component, or by the steps
``canary-deploy`` of the workflow. Sources: the definitions of KubeVela and of its addon for Kruise Rollouts, and what
their controllers make of each parameter. The objects of all components stand beside the Application.
"""

from krmfn.dialects.kubevela.objects import ROLLOUTS, made
from krmfn.dialects.kubevela.reader import Reader
from krmfn.dialects.kubevela.releases import release, released
from krmfn.dialects.kubevela.workflow import DEPLOY
from krmfn.kinds import PARTITION, TWIN
from krmfn.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm import Item
    from krmfn.scene import Scene

NATIVE = ("apps", "Deployment")


def asks(item: "Item") -> bool:
    """Tell whether an Application asks for a release at all."""
    spec = item.value.get("spec")
    traits = [trait for component in _mappings(spec, "components") for trait in _mappings(component, "traits")]
    flow = spec.get("workflow") if isinstance(spec, dict) else None
    return any(entry.get("type") in (*ROLLOUTS, DEPLOY) for entry in (*traits, *_mappings(flow, "steps")))


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of an Application. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    objects = made(reader)
    component, asked = released(reader)
    found = release(reader, component, asked, objects[component.name])
    reader.settle()
    native = (found.workload.group, found.workload.kind) == NATIVE
    return Plan(
        rollout=rollout.ref,
        workload=found.workload,
        workload_field=component.place.path,
        style=TWIN if native else PARTITION,
        steps=found.steps,
        shares=native and found.batches,
        services=found.services,
        routes=found.routes,
        remarks=tuple(reader.remarks),
        makes=tuple(manifest for manifests in objects.values() for manifest in manifests),
    )


def _mappings(value: "Any", key: str) -> "list[dict[str, Any]]":
    """Return those entries of a list that are mappings, whatever stands there."""
    found = value.get(key) if isinstance(value, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
