"""What a Helm release runs now, as Helm itself remembers it."""

import os

from krmfn import krm
from krmfn.changes import GONE, at
from krmfn.config import ROLLOUT
from krmfn.errors import KrmfnError
from krmfn.isolation import canary_name
from krmfn.programs import Failed, run
from krmfn.revisions import TEMPLATE
from krmfn.scene import ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.krm import Item, Package

SCHEME = "helm:"
MANY = 256
# A revision that failed, or is under way, may never have reached the cluster.
DONE = ("deployed", "superseded")
UNKNOWN = "release: not found"
_PODS = (*TEMPLATE, "metadata", "labels")


def running(release: str, wanted: "Package") -> "Package | None":
    """Return the manifests that say what runs beside the canary of ``wanted``; None for a release that is not there.

    That is the newest revision, unless it is one that has promoted the very pods that are wanted: then it is the one
    before those. Raises KrmfnError where Helm cannot be asked, or remembers nothing but such revisions.
    """
    namespace, _, name = release.rpartition("/")
    place = ["--namespace", namespace] if namespace else []
    try:
        for revision in _revisions(name, place):
            found = krm.read_files([("", _helm("get", "manifest", name, "--revision", str(revision), *place))])
            if not _promoted(found, wanted):
                return found
    except Failed as problem:
        if UNKNOWN in problem.says:
            return None
        raise KrmfnError(f"helm: {problem.says}") from problem
    message = f"every revision that Helm remembers of {release} runs the new version; say with --stable PATH what ran"
    raise KrmfnError(f"{message} before it")


def _revisions(name: str, place: "list[str]") -> "Iterator[int]":
    """Yield the numbers of what was deployed, newest first."""
    import json

    listed = json.loads(_helm("history", name, "--output", "json", "--max", str(MANY), *place))
    yield from sorted((entry["revision"] for entry in listed if entry["status"] in DONE), reverse=True)


def _promoted(found: "Package", wanted: "Package") -> bool:
    """Tell whether there is a canary, and the workload beside it has the pods that are wanted as well."""
    canaries = {item.ref.key for item in found.find(ROLLOUT) if ours(item) and _template(item) is not GONE}
    for item in found.items if canaries else ():
        beside = item.ref.replace(name=canary_name(item.ref.name)).key
        if beside in canaries and not any(_differ(item, other) for other in wanted.find(item.ref.name, item.ref.kind)):
            return True
    return False


def _differ(one: "Item", other: "Item") -> bool:
    return one.ref.key == other.ref.key and not krm.same(_template(one), _template(other))


def _template(item: "Item") -> "Any":
    """Return the pod template as its author has it; GONE where there is none."""
    template: Any = at(item.value, TEMPLATE)
    labels: Any = at(item.value, _PODS)
    if not isinstance(labels, dict):
        return template
    kept = {key: value for key, value in labels.items() if not key.startswith("krmfn.dev/")}
    return template | {"metadata": template["metadata"] | {"labels": kept}}


def _helm(*arguments: str) -> bytes:
    program = os.environ.get("HELM_BIN") or "helm"
    return run([program, *arguments], "a release was asked for", os.environ)
