"""How the pods of the two sides are told apart: the mode that can, and the labels and selectors that follow from it.

A controller pins Services on a hash that only the cluster knows; here every label is in the manifests.
"""

from krmfn.config import AUTO, LABEL, RENAME, SHARED, TRACK, TRACKED
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.kinds import PARTITION, REVISIONS, TWIN, WORKLOADS
from krmfn.selectors import matches
from krmfn.stamp import REVISION, labelled, revision, revision_name
from krmfn.state import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.item import Manifest
    from krmfn.plan import Plan

    Pairs = tuple[tuple[str, str], ...]

VERSIONS = ("version", "app.kubernetes.io/version")
NAMES = ("app.kubernetes.io/name", "app", "k8s-app", "name")
LIMIT = 63
ALL = 100


class Isolation(Value):
    """The mode, and the label by which the sides differ: ``stable`` and ``canary`` are its values on their pods."""

    mode: str
    key: str = ""
    stable: str = ""
    canary: str = ""

    @property
    def pins(self) -> bool:
        """Tell whether the stable Service needs the label in its selector to leave the canary out."""
        return self.mode in (LABEL, TRACKED)

    @property
    def relabels(self) -> bool:
        """Tell whether the canary's pods and selector carry the label because we put it there."""
        return self.mode != LABEL and bool(self.key)


class Sides(Value):
    """What the choice depends on: both templates, the workload's selector, and the selectors of pinned Services."""

    plan: "Plan"
    stable: "Manifest"
    target: "Manifest"
    selector: "Manifest"
    services: "tuple[tuple[str, Manifest], ...]"
    total: int = 1


def choose(asked: str, sides: Sides, *, adopted: bool) -> Isolation:
    """Return the isolation that was asked for, or the first that can be had.

    Raises KrmfnError when it cannot be had, saying why and what can.
    """
    tries = {SHARED: _shared, LABEL: _label, RENAME: _rename, TRACKED: _track}
    if asked in tries:
        found = tries[asked](sides)
        if isinstance(found, str):
            raise KrmfnError(f"isolation {asked} cannot be: {found}", ref=sides.plan.rollout)
        return found
    if adopted or sides.plan.style == REVISIONS:
        return _track(sides)
    reasons = []
    for mode in (SHARED, LABEL, RENAME):
        found = tries[mode](sides)
        if not isinstance(found, str):
            return found
        # That there is no label is what the message is about.
        reasons += [f"not {mode}, for {found}"] if mode != LABEL else []
    way = "set a version label on the pod template that changes with each release"
    if sides.plan.labelled:
        way = f"write a label into {sides.plan.labelled}, with another value in each"
    message = (
        f"nothing tells stable pods from canary pods: {way}, or let `isolation: {TRACKED}` stamp them from stage 0 on, "
        f"at the price of one rolling restart ({'; '.join(reasons)})"
    )
    raise KrmfnError(message, ref=sides.plan.rollout)


def _shared(sides: Sides) -> Isolation | str:
    for step in sides.plan.steps:
        if step.traffic and not sides.plan.subsets:
            return f"{step.field} has a traffic rule"
    if sides.plan.apart:
        return f"each of the Services {names(sides)} is to reach one side only"
    pods = labels(sides.target) | dict(sides.plan.pod_labels) | {TRACK: "canary"}
    for name, selector in sides.services if sides.plan.subsets else ():
        if matches(selector, pods):
            return f"the {name} has the canary's pods as well"
    return Isolation(SHARED, "" if sides.plan.style == PARTITION else TRACK, "", "canary")


def _label(sides: Sides) -> Isolation | str:
    if sides.plan.style == REVISIONS:
        return "the object keeps its revisions apart by their names"
    patched = dict(sides.plan.pod_labels)
    stable, canary = labels(sides.stable), labels(sides.target) | patched
    for key in dict.fromkeys((*VERSIONS, *patched)):
        if key in sides.selector or key not in stable or key not in canary or stable[key] == canary[key]:
            continue
        if any(key in selector for _, selector in sides.services):
            continue
        return Isolation(LABEL, key, stable[key], canary[key])
    return f"no label such as {VERSIONS[0]} differs between the two pod templates and is free of selectors"


def _rename(sides: Sides) -> Isolation | str:
    if sides.plan.style != TWIN:
        return "both sides are pods of one workload"
    for pair in (pair for pair in sides.plan.services if pair.stable == pair.canary):
        return f"the Service {pair.stable} has the pods of both sides, and would lose the canary's"
    for step in sides.plan.steps:
        if not step.traffic:
            return f"{step.field} has no traffic rule, so its pods would get no requests"
        if sides.plan.shares and step.pods.of(sides.total) == sides.total and step.traffic.weight != ALL:
            return f"{step.field} leaves no pods to the Service {names(sides)}, and sends requests there"
    pods = labels(sides.stable)
    for key in dict.fromkeys((*NAMES, *sides.selector)):
        if pods.get(key) and pods.get(key) == sides.selector.get(key) and all(key in s for _, s in sides.services):
            return Isolation(RENAME, key, pods[key], short(f"{pods[key]}-canary"))
    return f"no label of the pods is in the workload's selector and in that of {names(sides)}"


def _track(sides: Sides) -> Isolation:
    if sides.plan.style == REVISIONS:
        workload = sides.plan.workload
        key = WORKLOADS[workload.group, workload.kind].revisions
        stable, target = (revision_name(template, workload.name) for template in (sides.stable, sides.target))
        return Isolation(TRACKED, key, stable, target)
    if sides.plan.style == PARTITION:
        return Isolation(TRACKED, REVISION, revision(sides.stable), revision(sides.target))
    return Isolation(TRACKED, TRACK, "stable", "canary")


def names(sides: Sides) -> str:
    """Return the names of the Services that are pinned, for a message."""
    return ", ".join(name for name, _ in sides.services) or "of anybody"


def labels(template: "Manifest") -> dict[str, str]:
    """Return the labels of a pod template; null is an empty value, as the API server reads it."""
    found = (template.get("metadata") or {}).get("labels") or {}
    return {key: "" if value is None else value for key, value in found.items()}


def canary_template(template: "Manifest", isolation: Isolation, plan: "Plan") -> "Manifest":
    """Return the template of the canary's pods."""
    wanted = dict(plan.pod_labels) | ({isolation.key: isolation.canary} if isolation.relabels else {})
    result = labelled(template, wanted) if wanted else template
    if isolation.mode == RENAME:
        result = result | {"spec": _renamed(result.get("spec") or {}, isolation)}
    return marked(result, (), plan.pod_annotations)


def marked(template: "Manifest", extra: "Pairs", annotations: "Pairs") -> "Manifest":
    """Return a pod template with some more labels and annotations."""
    metadata = template.get("metadata") or {}
    for field, more in (("labels", extra), ("annotations", annotations)):
        if more:
            metadata = metadata | {field: (metadata.get(field) or {}) | dict(more)}
    return template | {"metadata": metadata} if extra or annotations else template


def canary_selector(selector: "Manifest", isolation: Isolation) -> "Manifest":
    """Return the selector of the canary workload: it never holds a digest, so that the next version applies as well."""
    if not isolation.relabels:
        return selector
    match = (selector.get("matchLabels") or {}) | {isolation.key: isolation.canary}
    return selector | {"matchLabels": match}


def service_selector(selector: "Manifest", isolation: Isolation, *, canary: bool) -> "Manifest":
    """Return the selector of a Service that is to reach one side only."""
    if canary:
        return selector | {isolation.key: isolation.canary}
    return selector | {isolation.key: isolation.stable} if isolation.pins else selector


def canary_name(workload: str) -> str:
    """Return the name of the canary beside a workload."""
    return short(f"{workload}-canary", 253)


def short(name: str, limit: int = LIMIT) -> str:
    """Return a name within the limit: a longer one ends in a digest of itself."""
    return name if len(name) <= limit else f"{name[: limit - 9].rstrip('-.')}-{digest(name, 4)}"


def _renamed(value: "Any", isolation: Isolation) -> "Any":
    """Rename the pods in their own affinity and spread terms as well: a canary keeps its distance from canaries."""
    if isinstance(value, list):
        return [_renamed(entry, isolation) for entry in value]
    if not isinstance(value, dict):
        return value
    result = {k: _renamed(v, isolation) for k, v in value.items()}
    if isinstance(selector := result.get("labelSelector"), dict):
        result["labelSelector"] = _renamed_selector(selector, isolation)
    return result


def _renamed_selector(selector: "Manifest", isolation: Isolation) -> "Manifest":
    result = dict(selector)
    if (selector.get("matchLabels") or {}).get(isolation.key) == isolation.stable:
        result["matchLabels"] = selector["matchLabels"] | {isolation.key: isolation.canary}
    if expressions := selector.get("matchExpressions"):
        swap = {isolation.stable: isolation.canary}
        result["matchExpressions"] = [
            e | {"values": [swap.get(v, v) for v in e.get("values") or ()]} if e.get("key") == isolation.key else e
            for e in expressions
        ]
    return result


__all__ = [
    "ALL",
    "AUTO",
    "Isolation",
    "Sides",
    "canary_name",
    "canary_selector",
    "canary_template",
    "choose",
    "labels",
    "marked",
    "service_selector",
    "short",
]
