"""What a case asks for at each step: its rollout is read by its dialect, as in a rendering.

A case is about traffic. How many pods a step has may be missing in it, and is not looked at.
"""

from krmfn import dialects, krm
from krmfn.brief import brief
from krmfn.errors import KrmfnError
from krmfn.scene import Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.item import Manifest
    from krmfn.plan import Plan

STRATEGIES = ("canary", "blueGreen")
ONE = {"replicas": 1}


def plan(asked: "Manifest", *, routing: bool) -> "Plan":
    """Return the plan of a rollout, or of a routing. Raises KrmfnError naming what is wrong with it."""
    objects = [_around(asked), asked] if routing else [_podless(asked)]
    package = krm.read_files([(f"{number}.yaml", krm.dump(one).encode()) for number, one in enumerate(objects)])
    rollout = package.items[0]
    dialect = dialects.find(rollout)
    if dialect is None:
        raise KrmfnError("is nothing that divides traffic step by step", ref=package.items[-1].ref)
    found = dialect.plan(rollout, Scene(package))
    if not found.services:
        raise KrmfnError("names no Service and no route, so there is nothing to divide", ref=rollout.ref)
    return found


def stages(plan: "Plan", given: "Manifest") -> "list[Manifest]":
    """Return what a script is told at each step about the object ``given``."""
    name = f"{(given.get('metadata') or {}).get('name', '')}-canary"
    pods = {"labels": dict(plan.pod_labels), "annotations": dict(plan.pod_annotations)}
    return [brief(step.traffic, plan.services[0], name, pods) for step in plan.steps]


def _podless(rollout: "Manifest") -> "Manifest":
    """Return a rollout of which every step has one pod."""
    spec: Any = rollout.get("spec")
    strategy = spec.get("strategy") if isinstance(spec, dict) else None
    if not isinstance(strategy, dict):
        return rollout
    podless = strategy | {key: _one_pod(strategy[key]) for key in STRATEGIES if key in strategy}
    return rollout | {"spec": spec | {"strategy": podless}}


def _one_pod(strategy: "Any") -> "Any":
    steps = strategy.get("steps") if isinstance(strategy, dict) else None
    if not isinstance(steps, list):
        return strategy
    return strategy | {"steps": [step | ONE if isinstance(step, dict) else step for step in steps]}


def _around(routing: "Manifest") -> "Manifest":
    """Return a rollout of one step that follows a routing: a routing has no steps, and is read with what it serves."""
    ref = krm.new(routing).ref
    return {
        "apiVersion": f"{ref.group}/v1beta1",
        "kind": "Rollout",
        "metadata": {
            "name": ref.name,
            **({"namespace": ref.namespace} if ref.namespace else {}),
            "annotations": {f"{ref.group}/trafficrouting": ref.name},
        },
        "spec": {
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": ref.name},
            "strategy": {"canary": {"steps": [ONE], "enableExtraWorkloadForCanary": True}},
        },
    }
