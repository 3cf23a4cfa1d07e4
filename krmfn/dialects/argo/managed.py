"""The routes that steps add and remove by name: requests that go to the canary, and requests that it gets a copy of."""

from krmfn.dialects.argo import matching
from krmfn.plan import Match, Mirror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.argo.reader import Reader
    from krmfn.fields import Fields

WHOLE = 100
UNKNOWN = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
MISSING = "Rollout has missing field '.spec.strategy.canary.trafficRouting.managedRoutes'"
ROUTED = ("setHeaderRoute", "setMirrorRoute")
# Where several headers are asked for: Istio takes any of them, the others all of them.
ANY, EVERY = ("istio",), ("alb", "apisix", "plugins")


class Managed:
    """The routes that there are at the step that is read, by name, in the order of ``managedRoutes``."""

    def __init__(self, reader: "Reader") -> None:
        """Begin without any."""
        self.routing = reader.routing
        routed = any(step.has(key) for step in reader.canary.sequence("steps") for key in ROUTED)
        if routed and self.routing and not self.routing.has("managedRoutes"):
            self.routing.at("managedRoutes").problem(MISSING)
        self.names = [route.text("name", required=True) for route in reader.routing.sequence("managedRoutes")]
        self.headers: dict[str, tuple[Match, ...]] = {}
        self.mirrors: dict[str, Mirror] = {}

    @property
    def matches(self) -> tuple[Match, ...]:
        """The requests that go to the canary."""
        return tuple(match for name in self.names for match in self.headers.get(name, ()))

    def mirror(self, place: "Fields") -> Mirror | None:
        """Return the requests that the canary gets a copy of; what cannot be said of all of them is a mistake."""
        found = [self.mirrors[name] for name in self.names if name in self.mirrors]
        self._check_order()
        if len({mirror.percent for mirror in found}) > 1:
            place.problem("has mirror routes of several percentages at once; give them one, or set them one by one")
        if not found:
            return None
        everything = any(match == Match() for mirror in found for match in mirror.matches)
        return Mirror(found[0].percent, () if everything else tuple(m for mirror in found for m in mirror.matches))

    def take(self, route: "Fields", *, mirror: bool) -> None:
        """Add a route, or remove it where nothing is asked for."""
        name = route.text("name", required=True)
        if name and name not in self.names and self.routing.has("managedRoutes"):
            route.at("name").problem(UNKNOWN)
        entries = list(route.sequence("match"))
        self.headers.pop(name, None)
        self.mirrors.pop(name, None)
        if mirror:
            self._mirror(route, name, entries)
        elif entries:
            self._header(route, name, entries)

    def _mirror(self, route: "Fields", name: str, entries: "list[Fields]") -> None:
        if not self.routing.has("istio") and not self.routing.has("plugins"):
            route.problem("SetMirrorRoute requires TrafficRouting, supports Istio and Plugins")
        percent = route.whole("percentage", 0, WHOLE)
        found = tuple(matching.mirrored(entry) for entry in entries)
        if found and percent != 0:
            self.mirrors[name] = Mirror(WHOLE if percent is None else percent, found)

    def _header(self, route: "Fields", name: str, entries: "list[Fields]") -> None:
        alone = self.routing.has("alb")
        conditions = [matching.header(entry, exact_only=alone) for entry in entries]
        any_of = any(self.routing.has(key) for key in ANY)
        every = any(self.routing.has(key) for key in EVERY)
        if not any_of and not every:
            route.problem("SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix")
        if any_of and every and conditions[1:]:
            route.at("match").problem("means any of them for Istio and all of them for every other router; write one")
        self.headers[name] = tuple(Match((c,)) for c in conditions) if any_of else (Match(tuple(conditions)),)

    def _check_order(self) -> None:
        """Refuse a mirror route before a header route: what both describe would be copied, and stay where it is."""
        copied, sent = ([name for name in self.names if name in routes] for routes in (self.mirrors, self.headers))
        if not copied or not sent:
            return
        first, last = copied[0], sent[-1]
        if self.names.index(first) < self.names.index(last):
            message = f"has the mirror route {first} before the header route {last}; here requests for both go to the "
            self.routing.at("managedRoutes").problem(f"{message}canary, so write {last} first")
