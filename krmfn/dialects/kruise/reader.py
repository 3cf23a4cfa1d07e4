"""One Rollout while it is read: its fields, what is known of it already, and what there is to remark."""

from krmfn.fields import Fields, top
from krmfn.kinds import WORKLOADS
from krmfn.krm.item import Ref
from krmfn.results import WARNING, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.scene import Scene

GROUP = "rollouts.kruise.io"
STYLE = f"{GROUP}/rolling-style"
ALPHA, BETA = "v1alpha1", "v1beta1"
_NATIVE = ("apps", "Deployment")
_BLUE_GREEN = (_NATIVE, ("apps.kruise.io", "CloneSet"))


class Reader:
    """One rollout while it is read: its fields, what is known of it already, and what there is to remark."""

    def __init__(self, rollout: "Item", scene: "Scene") -> None:
        """Find the workload and the strategy; they decide how the rest is read."""
        self.top, self.scene = top(rollout, f"{GROUP}/{ALPHA}", f"{GROUP}/{BETA}"), scene
        self.remarks: list[Result] = []
        self.version = rollout.ref.api_version.rpartition("/")[2]
        self.spec = self.top.mapping("spec", required=True)
        self.annotations = self.top.mapping("metadata").mapping("annotations")
        self.workload, self.workload_field = self._workload(rollout.ref.namespace)
        self.blue_green = False
        self.strategy = self._strategy()
        self.one_object, self.shares = self._style()

    def remark(self, place: Fields, message: str, severity: str = WARNING) -> None:
        """Note something that is not wrong."""
        self.remarks.append(Result(severity, message, place.ref, place.path))

    def _workload(self, namespace: str) -> tuple[Ref, str]:
        alpha = self.version == ALPHA
        place = (self.spec.mapping("objectRef") if alpha else self.spec).mapping("workloadRef")
        if not place:
            place.problem("is required: it names the workload to release")
        api_version, kind = place.text("apiVersion", "apps/v1"), place.text("kind", "Deployment")
        ref = Ref(api_version, kind, namespace, place.text("name", required=bool(place)))
        row = WORKLOADS.get((ref.group, kind))
        if row is None or row.keeps or row.revisions:
            known = ", ".join(f"{kind}.{group}" for (group, kind), row in WORKLOADS.items() if row.named)
            place.at("kind").problem(f"{kind}.{ref.group} cannot be released step by step; that can be: {known}")
        return ref, place.path

    def _strategy(self) -> Fields:
        strategy = self.spec.mapping("strategy", required=True)
        if strategy.has("trafficRoutings"):
            strategy.at("trafficRoutings").problem(
                "stands beside canary, where Kruise does not see it; move it into canary"
            )
        if strategy.has("canary") and strategy.has("blueGreen"):
            strategy.problem("has both canary and blueGreen; a rollout is one or the other, so remove one")
            return Fields(None, strategy.ref, strategy.path, strategy.problems)
        if strategy and not strategy.has("canary") and not strategy.has("blueGreen"):
            strategy.problem("has neither canary nor blueGreen")
        self.blue_green = strategy.has("blueGreen")
        key = (self.workload.group, self.workload.kind)
        if self.blue_green and key not in _BLUE_GREEN:
            strategy.at("blueGreen").problem(f"is for a Deployment or a CloneSet, not for a {self.workload.kind}")
        return strategy.mapping("blueGreen" if self.blue_green else "canary")

    def _style(self) -> tuple[bool, bool]:
        """Return whether one object is moved in place, and whether two objects share the author's number of pods."""
        native = (self.workload.group, self.workload.kind) == _NATIVE
        if self.version == BETA:
            extra = self.strategy.flag("enableExtraWorkloadForCanary")
            if self.annotations.has(STYLE):
                message = f"is for {ALPHA}; here enableExtraWorkloadForCanary says whether there is a second workload"
                self.remark(self.annotations.at(STYLE), message)
        else:
            style = self.annotations.text(STYLE, "canary").lower()
            if style not in ("canary", "partition"):
                self.annotations.at(STYLE).problem(f"{style!r} is neither canary nor partition")
            extra = style != "partition"
        if self.blue_green or (native and extra):
            return False, False
        known = (self.workload.group, self.workload.kind) in WORKLOADS
        return known and not native, native
