"""What else in the package chooses the workload's pods, and during a release chooses too many of them or too few."""

from krmfn.config import PIN, RENAME
from krmfn.isolation import canary_template, labels
from krmfn.kinds import SELECTORS
from krmfn.krm import load
from krmfn.results import WARNING, Result
from krmfn.selectors import chooses, matches
from krmfn.stage import STABLE, TARGET
from krmfn.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest

# Where a StatefulSet names the Service that gives its pods their names: it has to select all of them.
GOVERNING = "serviceName"
# A Service whose requests a route divides, though it is none of those that they are divided between.
ENTRANCE = "entrance"
# Where a NetworkPolicy names the pods that may talk with those it applies to.
PEERS = (("ingress", "from"), ("egress", "to"))


def render(view: View) -> "Iterator[Result]":
    """Yield a warning for each such object."""
    if view.stage.canary is None:
        return
    stable = labels(load(view.text(STABLE)))
    canary = labels(canary_template(load(view.text(TARGET)), view.isolation, view.plan))
    yield from _services(view, stable, canary)
    for (group, kind), (path, verb) in SELECTORS.items():
        for item in _near(view, group, kind, stable):
            selector = (item.value.get(path[0]) or {}).get(path[1])
            if isinstance(selector, dict) and chooses(selector, stable) and not chooses(selector, canary):
                message = f"{verb} the stable pods, and not the canary's ({_labels(view)}); add a {kind} for those"
                yield Result(WARNING, message, item.ref, ".".join(path), item.path)
    yield from _peers(view, stable, canary)


def _peers(view: View, stable: dict[str, str], canary: dict[str, str]) -> "Iterator[Result]":
    """Yield a warning for each NetworkPolicy that lets others talk with the stable pods, and not with the canary's."""
    for item in _near(view, "networking.k8s.io", "NetworkPolicy", stable):
        for place in PEERS:
            for rule, peer, selector in _selectors(item.value.get("spec") or {}, *place):
                if chooses(selector, stable) and not chooses(selector, canary):
                    message = f"lets the stable pods through, and not the canary's ({_labels(view)}); add those"
                    field = f"spec.{place[0]}[{rule}].{place[1]}[{peer}].podSelector"
                    yield Result(WARNING, message, item.ref, field, item.path)


def _selectors(spec: "Manifest", rules: str, peers: str) -> "Iterator[tuple[int, int, Manifest]]":
    """Yield the selectors of a policy's peers, with the number of the rule and of the peer."""
    for number, rule in enumerate(spec.get(rules) or ()):
        for index, peer in enumerate((rule or {}).get(peers) or ()):
            if isinstance(selector := peer.get("podSelector"), dict):
                yield number, index, selector


def _services(view: View, stable: dict[str, str], canary: dict[str, str]) -> "Iterator[Result]":
    known = {name for pair in view.plan.services for name in (pair.stable, pair.canary)}
    known.add((view.workload.value.get("spec") or {}).get(GOVERNING, ""))
    known |= {str(value) for route in view.plan.routes for key, value in route.told if key == ENTRANCE}
    for item in _near(view, "", "Service", stable):
        selector = (item.value.get("spec") or {}).get("selector") or {}
        annotations = (item.value.get("metadata") or {}).get("annotations") or {}
        if item.ref.name in known or not selector or not matches(selector, stable) or annotations.get(PIN) == "true":
            continue
        both = matches(selector, canary)
        if both and view.plan.divides:
            message = f'also selects the canary\'s pods; annotate it {PIN}: "true" where it must reach stable pods only'
            yield Result(WARNING, message, item.ref, "spec.selector", item.path)
        elif not both and view.isolation.mode == RENAME:
            message = f"selects the stable pods, and not the canary's ({_labels(view)}), so it never reaches the canary"
            yield Result(WARNING, message, item.ref, "spec.selector", item.path)


def _near(view: View, group: str, kind: str, pods: dict[str, str]) -> "Iterator[Item]":
    """Yield the objects of a kind that hold a value of the pods' labels, and so could select them."""
    seen: set[int] = set()
    for value in sorted(set(pods.values())):
        for item in view.scene.of_kind(group, kind, value):
            if item.mark not in seen and item.ref.namespace == view.workload.ref.namespace:
                seen.add(item.mark)
                yield item


def _labels(view: View) -> str:
    return f"{view.isolation.key}={view.isolation.canary}"
