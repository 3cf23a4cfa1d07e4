"""What Knative does with the traffic of a Service, as its documentation says.

https://knative.dev/docs/serving/traffic-management/: percents sum to 100; without any, all goes to the latest revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.routers.plans import Shares, of_weights

LATEST = "(latest)"
WHOLE, LABEL = 100, 63


def route(service: Mapping[str, Any]) -> Shares:
    """Return how many of all requests each revision gets; LATEST stands for the one of the template."""
    traffic = service["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
    assert sum(one.get("percent", 0) for one in traffic) == 100
    assert all(_one_way(one) for one in traffic)
    return of_weights((one.get("revisionName") or LATEST, one.get("percent", 0)) for one in traffic)


def _one_way(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry names a revision or follows the latest one, which it does where nothing is said."""
    named = bool(entry.get("revisionName"))
    return bool(entry.get("latestRevision", not named)) != named


class Refusal(Exception):
    """What a webhook has against a Service."""


@dataclass
class Cluster:
    """One Service in a cluster: its revisions, which of them are ready, and where its Route leads.

    Sources: the validation of a Service, its reconcilers for Configuration and Route, and "Traffic management". A
    revision never changes, so under a name that is there only the same spec is accepted; a template that changes has to
    change its name, or have none. A Route stays as it was while any revision that it names is not ready.
    """

    name: str
    broken: set[str] = field(default_factory=set)
    template: dict[str, Any] = field(default_factory=dict)
    generation: int = 0
    revisions: dict[str, Any] = field(default_factory=dict)
    latest_created: str = ""
    latest_ready: str = ""
    route: dict[str, Fraction] = field(default_factory=dict)

    def apply(self, service: Mapping[str, Any]) -> None:
        """Take a Service as a host applies it, and wait until nothing moves any more. Raises Refusal."""
        template = service["spec"]["template"]
        if template != self.template:
            self._revise(template)
        traffic = service["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
        self._validate(traffic)
        if self.ready(self.latest_created):
            self.latest_ready = self.latest_created
        named = [(one.get("revisionName") or self.latest_ready, one.get("percent", 0)) for one in traffic]
        if all(self.ready(name) for name, _ in named):
            self.route = {}
            for name, percent in named:
                self.route[name] = self.route.get(name, Fraction(0)) + Fraction(percent, 100)

    def ready(self, name: str) -> bool:
        """Tell whether a revision is there and its pods could start."""
        return name in self.revisions and name not in self.broken

    def answers(self) -> dict[str, Fraction]:
        """Return how many requests each image answers."""
        found: dict[str, Fraction] = {}
        for name, share in self.route.items():
            image = self.revisions[name]["containers"][0]["image"]
            found[image] = found.get(image, Fraction(0)) + share
        return {image: share for image, share in found.items() if share}

    def _revise(self, template: dict[str, Any]) -> None:
        name = (template.get("metadata") or {}).get("name", "")
        if name and name == (self.template.get("metadata") or {}).get("name"):
            raise Refusal(f"changes without a name change: {name}")
        if name and not (name.startswith(f"{self.name}-") and len(name) <= LABEL and name == name.lower()):
            raise Refusal(f"no name for a revision of {self.name}: {name}")
        self.template, self.generation = template, self.generation + 1
        self.latest_created = name or f"{self.name}-{self.generation:05}"
        if self.revisions.setdefault(self.latest_created, template["spec"]) != template["spec"]:
            raise Refusal(f"{name} is there with another content")

    def _validate(self, traffic: Sequence[Mapping[str, Any]]) -> None:
        tags = [one["tag"] for one in traffic if "tag" in one]
        if sum(one.get("percent", 0) for one in traffic) != WHOLE or len(tags) != len(set(tags)):
            raise Refusal(f"no traffic: {traffic}")
        if not all(_one_way(one) for one in traffic):
            raise Refusal(f"either a name or the latest: {traffic}")
