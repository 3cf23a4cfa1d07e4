"""One Canary while it is read: its workload, the names of its Services, and what there is to remark."""

from krmfn.fields import Fields, top
from krmfn.kinds import REVISIONS, TWIN
from krmfn.krm.item import Ref
from krmfn.plan import Pair
from krmfn.results import INFO, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene

GROUP, VERSION = "flagger.app", "v1beta1"
KINDS = ("Deployment.apps", "DaemonSet.apps")
# The provider whose Service is workload and route at once, and that Service.
KNATIVE, KSERVICE = "knative", "Service.serving.knative.dev"
# The label by which the pods are chosen: the first of these that the workload's selector has.
LABELS = ("app", "name", "app.kubernetes.io/name")
ALL = 100


def texts(place: Fields, key: str) -> list[str]:
    """Read a list of strings."""
    found = []
    for entry in place.sequence(key):
        if not isinstance(entry.value, str):
            entry.problem("must be a string")
        found.append(str(entry.value))
    return found


class Reader:
    """One Canary; ``apex``, ``primary`` and ``canary`` are the names of its Services, ``port`` is theirs.

    ``style`` is how its workload is released; in revisions it is a Service itself, and no others are made.
    """

    def __init__(self, rollout: "Item", scene: "Scene") -> None:
        """Find the workload and the names, by which the rest is made."""
        self.top, self.scene = top(rollout, f"{GROUP}/{VERSION}"), scene
        self.remarks: list[Result] = []
        self.namespace = rollout.ref.namespace
        self.spec = self.top.mapping("spec", required=True)
        self.provider = self.spec.text("provider", "istio")
        self.analysis = self.spec.mapping("canaryAnalysis" if self.spec.has("canaryAnalysis") else "analysis")
        self.style = REVISIONS if self.provider == KNATIVE else TWIN
        self.service = self.spec.mapping("service", required=self.style == TWIN)
        self.workload, self.workload_field = self._workload()
        self.item = scene.lookup(self.workload)
        self.label, self.value = self._label()
        self.apex = self.service.text("name", self.workload.name)
        self.primary, self.canary = f"{self.apex}-primary", f"{self.apex}-canary"
        self.port = self.service.whole("port", 1, 65535)
        if self.service and not self.service.has("port") and self.style == TWIN:
            self.service.at("port").problem("is required")

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The Services that reach one side only: the apex leads to the stable side, as the primary does."""
        where = self.service.at("name" if self.service.has("name") else "port").path
        return Pair(self.primary, self.canary, where, where), Pair(self.apex, "", where)

    def remark(self, place: Fields, message: str, severity: str = INFO) -> None:
        """Note something that is not wrong."""
        self.remarks.append(Result(severity, message, place.ref, place.path))

    def metadata(self, name: str, side: str = "apex", labels: "dict[str, str] | None" = None) -> "Manifest":
        """Return the metadata of an object that is made for a side, with what the author wants on it."""
        wanted = self.service.mapping(side)
        found: Manifest = {"name": name}
        if self.namespace:
            found["namespace"] = self.namespace
        for key, own in (("labels", labels or {}), ("annotations", {})):
            if values := wanted.labels(key) | own:
                found[key] = values
        return found

    def written(self, *keys: str) -> "Manifest":
        """Return fields of the service as the author wrote them, those that are there."""
        return self.service.written(*keys)

    def _workload(self) -> tuple[Ref, str]:
        place = self.spec.mapping("targetRef", required=True)
        kind = place.text("kind", "Deployment", required=bool(place))
        api_version = place.text("apiVersion", "apps/v1", required=bool(place))
        ref = Ref(api_version, kind, self.namespace, place.text("name", required=bool(place)))
        found = f"{kind}.{ref.group}".rstrip(".")
        if found not in (KINDS if self.style == TWIN else (KSERVICE,)):
            place.at("kind").problem(self._unknown(found))
        return ref, place.path

    def _unknown(self, found: str) -> str:
        known = ", ".join(KINDS)
        if self.style == REVISIONS:
            return f"{found} does not divide requests itself; with the provider {KNATIVE} it has to be {KSERVICE}"
        if found == KSERVICE:
            return f"{found} divides requests itself, so it is released with the provider {KNATIVE}"
        if found == "Service":
            return f"Service cannot be released: its pods belong to a workload, which has the version; name {known}"
        return f"{found} cannot be released; that can be: {known}"

    def _label(self) -> tuple[str, str]:
        """Return the label by which the pods are chosen, and its value."""
        if self.item is None or self.workload.kind == "Service":
            return "", ""
        spec = Fields(self.item.value, self.item.ref, "", self.top.problems).mapping("spec")
        if spec.mapping("updateStrategy").text("type") == "OnDelete":
            message = "is OnDelete, so pods take the new version only when somebody deletes them; use RollingUpdate"
            spec.mapping("updateStrategy").at("type").problem(message)
        match = spec.mapping("selector").labels("matchLabels")
        for key in LABELS:
            if key in match:
                return key, match[key]
        message = f"is {self.workload}, whose selector has none of the labels {', '.join(LABELS)}; Flagger needs one"
        self.spec.at("targetRef").problem(message)
        return "", ""
