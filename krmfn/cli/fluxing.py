"""``krmfn render --ordering flux``: what runs the pods in one folder, what leads requests to them in another.

Two Kustomizations apply them, the second when the first is ready. A kustomization.yaml beside them lists these two
only, so that whoever applies the folder as a whole does not apply what they do.
"""

import os
import posixpath

from krmfn import folder, git, krm
from krmfn.kinds import FLUX
from krmfn.ordering import leads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest, Ref
    from krmfn.view import View

WORKLOAD, TRAFFIC = "workload", "traffic"
API = "kustomize.toolkit.fluxcd.io/v1"
SOURCE = {"kind": "GitRepository", "name": "flux-system"}
PLACE = "flux-system"


def ordered(items: "Sequence[Item]", views: "Sequence[View]", options: "Mapping[str, Any]") -> dict[str, bytes]:
    """Return the files of both folders, and what tells Flux about them."""
    parts: dict[str, list[Item]] = {WORKLOAD: [], TRAFFIC: []}
    for item in items:
        parts[TRAFFIC if leads(item, views) else WORKLOAD].append(item)
    files = {
        f"{name}/{path}": data
        for name, part in parts.items()
        for path, data in _files(part, one_per_file=options["one_per_file"]).items()
    }
    told = _kustomizations(parts, views, options["output"])
    listed = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [f"{FLUX}.yaml"]}
    return {
        f"{FLUX}.yaml": "---\n".join(map(krm.dump, told)).encode(),
        "kustomization.yaml": krm.dump(listed).encode(),
        **files,
    }


def _files(items: "Iterable[Item]", *, one_per_file: bool) -> dict[str, bytes]:
    if one_per_file:
        return {name: krm.write_stream([item]) for name, item in folder.one_per_file(items).items()}
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.path or "manifests.yaml", []).append(item)
    return {name: krm.write_stream(there) for name, there in found.items()}


def _kustomizations(parts: "Mapping[str, Sequence[Item]]", views: "Sequence[View]", output: str) -> "list[Manifest]":
    """Return the Kustomizations, the second only where anything leads requests to pods."""
    name = views[0].plan.rollout.name if views else os.path.basename(os.path.abspath(output))
    there = {item.ref.key for item in parts[WORKLOAD]}
    checks = [_check(ref) for view in views for ref in (view.body, view.canary) if ref.key in there]
    front = _kustomization(WORKLOAD, output) | {"healthChecks": checks}
    behind = _kustomization(TRAFFIC, output) | {"dependsOn": [{"name": f"{name}-{WORKLOAD}"}], "wait": True}
    specs = {WORKLOAD: front} | ({TRAFFIC: behind} if parts[TRAFFIC] else {})
    head = {"apiVersion": API, "kind": "Kustomization"}
    return [
        head | {"metadata": {"name": f"{name}-{part}", "namespace": PLACE}, "spec": spec}
        for part, spec in specs.items()
    ]


def _kustomization(part: str, output: str) -> "Manifest":
    return {
        "interval": "10m",
        "path": f"./{posixpath.join(git.place(output), part)}",
        "prune": True,
        "sourceRef": SOURCE,
        "timeout": "10m",
    }


def _check(ref: "Ref") -> "Manifest":
    place = {"namespace": ref.namespace} if ref.namespace else {}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name} | place
