"""The plan as JSON, for programs that make the commits: where each edge leads, and what to wait for on the way.

The shape is versioned by ``apiVersion``: within v1alpha1 fields may be added, and none changes or goes.
"""

from krmfn.config import API_VERSION
from krmfn.kinds import REVISIONS
from krmfn.report import words
from krmfn.report.difference import GONE
from krmfn.report.waiting import GRACE, at_end, graces, steps, waits
from krmfn.stage import stays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from krmfn.krm.item import Ref
    from krmfn.plan import Condition, Match, Plan, Position, Traffic
    from krmfn.report.difference import Difference, FieldChange
    from krmfn.report.outlook import Commit, Edge, Outlook
    from krmfn.report.waiting import Wait
    from krmfn.stage import Stage

    Json = dict[str, Any]

KIND, STAGES = "Plan", "Stages"


def document(outlooks: "Iterable[Outlook]") -> str:
    """Return the plans of all rollouts as one JSON document."""
    import json

    whole = {"apiVersion": API_VERSION, "kind": KIND, "rollouts": [_rollout(outlook) for outlook in outlooks]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def index(outlook: "Outlook", positions: "Mapping[str, str]") -> str:
    """Return what is in a folder of all stages, as JSON: ``positions`` says the folder of each.

    Nothing in it depends on where the rollout stands, so that a promotion leaves it as it is.
    """
    import json

    plan = outlook.plan
    commits = {str(commit.position): commit for edge in outlook.edges for commit in edge.commits}
    commits |= {str(commit.position): commit for commit in outlook.timeline}
    whole = {
        "apiVersion": API_VERSION,
        "kind": STAGES,
        "rollout": _ref(plan.rollout),
        "workload": _ref(outlook.view.body),
        "canary": _canary(outlook),
        "stages": [{"directory": folder} | _position(plan, commits[text]) for text, folder in positions.items()],
        "edges": [_way(outlook, edge, positions) for edge in outlook.edges],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _way(outlook: "Outlook", edge: "Edge", positions: "Mapping[str, str]") -> "Json":
    whole = _edge(outlook, edge)
    for commit in whole["positions"]:
        commit["directory"] = positions[commit["position"]]
        del commit["changes"]
    return whole


def _rollout(outlook: "Outlook") -> "Json":
    plan = outlook.plan
    return {
        "rollout": _ref(plan.rollout),
        "workload": _ref(outlook.view.body),
        "canary": _canary(outlook),
        "replicas": outlook.view.stage.stable,
        "steps": len(plan.steps),
        "current": outlook.current or None,
        "isolation": outlook.isolation or None,
        "target": {"known": outlook.known, "changes": [_field(change) for change in outlook.release]},
        "notes": list(outlook.notes),
        "positions": [_position(plan, commit) for commit in outlook.timeline],
        "edges": [_edge(outlook, edge) for edge in outlook.edges],
    }


def _position(plan: "Plan", commit: "Commit") -> "Json":
    stage = commit.stage
    return {
        "position": str(commit.position),
        "resting": commit.position.rests,
        "stable": {"replicas": stage.stable, "revision": stays(plan, stage)},
        "canary": None if stage.canary is None else {"replicas": stage.canary, "revision": "target"},
        "traffic": _traffic(stage.traffic),
        "toCanary": words.traffic(stage),
        "pinned": stage.pinned,
        "gate": _gate(plan, commit.position),
    }


def _edge(outlook: "Outlook", edge: "Edge") -> "Json":
    """An edge: make each commit and wait for what it says; at the end wait for ``waitFor`` and pass the ``gate``."""
    return {
        "from": edge.start,
        "to": edge.end,
        "positions": [_commit(outlook, before, commit) for before, commit in steps(edge.origin, edge.commits)],
        "waitFor": [_wait(wait) for wait in at_end(outlook, edge)],
        "gate": _gate(outlook.plan, edge.commits[-1].position),
    }


def _commit(outlook: "Outlook", before: "Stage", commit: "Commit") -> "Json":
    moves = graces(outlook.plan, before, commit.stage)
    return {
        "position": str(commit.position),
        "changes": None if commit.changes is None else [_change(difference) for difference in commit.changes],
        "waitFor": [_wait(wait) for wait in waits(outlook, before, commit.stage)],
        "grace": moves,
        "note": GRACE if moves else "",
    }


def _canary(outlook: "Outlook") -> "Json | None":
    """The canary's workload; None where both sides are revisions of one object."""
    return None if outlook.plan.style == REVISIONS else _ref(outlook.view.canary)


def _wait(wait: "Wait") -> "Json":
    """A workload as its status has to be; a count that the status leaves out is 0."""
    if wait.revision is not None:
        return {**_ref(wait.ref), "generationObserved": True, "latestReadyRevisionName": wait.revision or None}
    updated = wait.pods if wait.updated is None else wait.updated
    counts = {"replicas": wait.pods, "updatedReplicas": updated, "availableReplicas": wait.available}
    return {**_ref(wait.ref), "generationObserved": True, **counts}


def _gate(plan: "Plan", position: "Position") -> "Json":
    if position.rests and position.end == "0":
        return {"type": "person"}
    gate = words.gate_of(plan, position)
    if gate is None:
        return {"type": "none"}
    if gate.check:
        return {"type": "check", "check": gate.check} | ({"seconds": gate.seconds} if gate.seconds else {})
    return {"type": "person"} if gate.seconds is None else {"type": "delay", "seconds": gate.seconds}


def _change(difference: "Difference") -> "Json":
    return {
        "action": difference.action,
        "object": _ref(difference.ref),
        "file": difference.item.path,
        "fields": [_field(change) for change in difference.fields],
    }


def _field(change: "FieldChange") -> "Json":
    """A field that changed; ``from`` is missing where there was none, ``to`` where there is none now."""
    values = {"from": change.old, "to": change.new}
    return {"path": change.field} | {side: value for side, value in values.items() if value is not GONE}


def _traffic(traffic: "Traffic | None") -> "Json | None":
    if traffic is None:
        return None
    told: Json = {
        "weight": None if traffic.matches else traffic.weight or 0,
        "matches": [_match(m) for m in traffic.matches],
    }
    if traffic.mirror:
        told["mirror"] = {"percent": traffic.mirror.percent, "matches": [_match(m) for m in traffic.mirror.matches]}
    return told


def _match(match: "Match") -> "Json":
    path = {"type": match.path[0], "value": match.path[1]} if match.path else None
    return {"conditions": [_condition(one) for one in match.conditions], "path": path}


def _condition(one: "Condition") -> "Json":
    return {"part": one.part, "name": one.name, "type": one.type, "value": one.value}


def _ref(ref: "Ref") -> "Json":
    place = {"namespace": ref.namespace} if ref.namespace else {}
    return {"apiVersion": ref.api_version, "kind": ref.kind, **place, "name": ref.name}
