"""One Rollout while it is read: its workload, its strategy, and what of it means nothing without a controller."""

from krmfn.fields import Fields, top
from krmfn.kinds import AUTOSCALERS, WORKLOADS, body
from krmfn.krm.item import Ref
from krmfn.results import INFO, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene

GROUP, VERSION = "argoproj.io", "v1alpha1"
HASH = "rollouts-pod-template-hash"
MANAGED = "argo-rollouts.argoproj.io/managed-by-rollouts"
ALL = 100
# What a controller does with time or with its memory; in Git there is neither.
CONTROLLERS = (
    "analysis",
    "minReadySeconds",
    "progressDeadlineAbort",
    "progressDeadlineSeconds",
    "restartAt",
    "revisionHistoryLimit",
    "rollbackWindow",
)
CONTROLLERS_CANARY = (
    "abortScaleDownDelaySeconds",
    "replicaProgressThreshold",
    "scaleDownDelayRevisionLimit",
    "scaleDownDelaySeconds",
)
CONTROLLERS_BLUE_GREEN = ("abortScaleDownDelaySeconds", "maxUnavailable", "scaleDownDelayRevisionLimit")


class Reader:
    """One Rollout while it is read; ``routing`` says how requests are divided, ``most`` what all of them are."""

    def __init__(self, rollout: "Item", scene: "Scene") -> None:
        """Find the workload and the strategy; they decide how the rest is read."""
        self.top, self.scene = top(rollout, f"{GROUP}/{VERSION}"), scene
        self.remarks: list[Result] = []
        self.makes: list[Manifest] = []
        self.namespace, self.name = rollout.ref.namespace, rollout.ref.name
        self.spec = self.top.mapping("spec", required=True)
        self.canary, self.blue_green = self._strategy()
        self.routing = self.canary.mapping("trafficRouting")
        self.most = self.routing.whole("maxTrafficWeight", 1) or ALL
        self.workload, self.workload_field = self._workload()
        self.inline = self.workload.kind == "Rollout"
        self.surge = self._surge()
        self._check_replicas()
        self._check_numbers()

    def mention(self) -> None:
        """Say what means nothing here."""
        for place, keys in (
            (self.spec, CONTROLLERS),
            (self.spec.mapping("workloadRef"), ("scaleDown",)),
            (self.canary, CONTROLLERS_CANARY),
            (self.blue_green, CONTROLLERS_BLUE_GREEN),
        ):
            for key in keys:
                kept = self.inline and place is self.spec and key in WORKLOADS[GROUP, "Rollout"].keeps
                if place.has(key) and not kept:
                    message = "is for a controller, and means nothing here"
                    self.remarks.append(Result(INFO, message, place.ref, place.at(key).path))

    def service(self, place: Fields, key: str) -> str:
        """Read the name of a Service, which may be missing, and is nobody else's."""
        name = place.text(key)
        item = self.scene.lookup(Ref("v1", "Service", self.namespace, name)) if name else None
        annotations = Fields(item.value).mapping("metadata").labels("annotations") if item else {}
        if annotations.get(MANAGED, self.name) != self.name:
            place.at(key).problem(f"Service {name} is managed by another Rollout: {annotations[MANAGED]}")
        return name

    @property
    def sets_headers(self) -> bool:
        """Tell whether any step sets a header route."""
        return any(step.mapping("setHeaderRoute").has("match") for step in self.canary.sequence("steps"))

    def percent(self, value: int, place: Fields) -> int:
        """Return a weight in percent of all requests; not every share of another total is one."""
        if value * ALL % self.most:
            place.problem(f"{value} of {self.most} is no whole percentage, and weights are rendered in percent only")
        return value * ALL // self.most

    def _strategy(self) -> tuple[Fields, Fields]:
        strategy = self.spec.mapping("strategy")
        if strategy.has("canary") and strategy.has("blueGreen"):
            strategy.problem("Multiple Strategies can not be listed: keep canary or blueGreen")
        elif self.spec and not strategy.has("canary") and not strategy.has("blueGreen"):
            strategy.problem("Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'")
        return strategy.mapping("canary"), strategy.mapping("blueGreen")

    def _workload(self) -> tuple[Ref, str]:
        place = self.spec.mapping("workloadRef")
        if place and self.spec.has("template"):
            self.spec.at("template").problem("template must be empty for workload reference rollout")
        if not place:
            return self._inline()
        ref = Ref(
            place.text("apiVersion", "apps/v1"),
            place.text("kind", "Deployment"),
            self.namespace,
            place.text("name", required=bool(place)),
        )
        if (ref.group, ref.kind) != ("apps", "Deployment"):
            place.at("kind").problem(f"{ref.kind}.{ref.group} cannot be released; name a Deployment.apps")
        return ref, place.path

    def _inline(self) -> tuple[Ref, str]:
        """Check the template of the Rollout itself, which then is its own workload."""
        if not self.spec.has("template"):
            self.spec.problem("has neither a template nor a workloadRef")
        if not self.spec.has("selector"):
            self.spec.at("selector").problem("Rollout has missing field '.spec.selector'")
        elif not self.spec.at("selector").value:
            self.spec.at("selector").problem("empty selector is invalid for deployment")
        if self.spec:
            self.spec.mapping("selector")
            self.spec.mapping("template")
        return self.top.ref or Ref("", "", "", ""), "spec.template"

    def _check_replicas(self) -> None:
        """Refuse two numbers of pods: with a controller they run beside the Deployment, without one they run in it."""
        wanted, item = self.spec.whole("replicas"), self.scene.lookup(self.workload)
        there = (item.value.get("spec") or {}).get("replicas", 1) if item else wanted
        if (there == 0 and not self.inline) or (wanted is not None and wanted != there):
            message = (
                f"{self.workload} has {there} replicas, and without a controller the pods run there: give it the same "
                "number; where the controller still runs, `krmfn adopt` does"
            )
            self.spec.at("replicas").problem(message)
        for group, kind in AUTOSCALERS:
            for scaler in self.scene.of_kind(group, kind, self.name, "Rollout"):
                target = Fields(scaler.value, scaler.ref).mapping("spec").mapping("scaleTargetRef")
                if (target.text("kind"), target.text("name")) == ("Rollout", self.name):
                    target.problems = self.top.problems
                    message = f"scales the Rollout, which nobody runs; let it scale {body(self.workload)}"
                    target.problem(f"{message}; where the controller still runs, `krmfn adopt` does")

    def _surge(self) -> bool:
        """Tell whether one pod more than wanted may run: a number counts pods, a text is a percentage of them."""
        found = [self._share(self.canary.at(key)) for key in ("maxSurge", "maxUnavailable")]
        if found == [0, 0]:
            self.canary.at("maxSurge").problem("MaxSurge and MaxUnavailable both can not be zero")
        return found[0] > 0

    def _share(self, place: Fields) -> int:
        value = place.value
        if value is None:
            return ALL // 4
        text = str(value).removesuffix("%")
        if isinstance(value, bool) or not isinstance(value, int | str) or not text.isdigit():
            place.problem(f"{value!r} is neither a number of pods nor a percentage of them")
            return ALL // 4
        return int(text)

    def _check_numbers(self) -> None:
        if self.spec.has("progressDeadlineSeconds"):
            deadline, ready = self.spec.whole("progressDeadlineSeconds"), self.spec.whole("minReadySeconds") or 0
            if deadline is not None and deadline <= ready:
                self.spec.at("progressDeadlineSeconds").problem("must be greater than minReadySeconds")
        routed = self.canary.has("trafficRouting")
        for key in ("scaleDownDelaySeconds", "dynamicStableScale"):
            if self.canary.at(key).value and not routed:
                self.canary.at(key).problem(f"Canary {key} can only be used with traffic routing")
        if self.canary.flag("dynamicStableScale") and self.canary.has("scaleDownDelaySeconds"):
            place = self.canary.at("dynamicStableScale")
            place.problem("Canary dynamicStableScale cannot be used with scaleDownDelaySeconds")
