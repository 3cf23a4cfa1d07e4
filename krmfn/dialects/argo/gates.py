"""What has to happen before a release goes on: a person, some time, or an analysis that somebody has to look at."""

import re

from krmfn.dialects.argo.reader import GROUP, VERSION
from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.plan import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.argo.reader import Reader

_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|h|m|s))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
# What an argument can be taken from: the fields that Kubernetes gives to a pod about itself.
_FIELDS = re.compile(
    r"metadata\.(name|namespace|uid|labels|annotations)(\['[^']+'\])?"
    r"|spec\.(nodeName|restartPolicy|serviceAccountName|schedulerName)|status\.(phase|hostIP|hostIPs|podIP|podIPs)"
)


def pause(place: "Fields") -> Gate:
    """Return the gate of a ``pause``: some seconds, or a person."""
    return Gate(seconds(place.at("duration")))


def check(place: "Fields", reader: "Reader") -> str:
    """Return what an analysis has to find, in a few words; "" where there is none."""
    if not place:
        return ""
    given = set()
    for entry in place.sequence("args"):
        given.add(entry.text("name", required=True))
        path = entry.mapping("valueFrom").mapping("fieldRef")
        if path and not _FIELDS.fullmatch(path.text("fieldPath")):
            message = "Analyses arguments must refer to valid object metadata supported by downwardAPI"
            path.at("fieldPath").problem(message)
    found = [_template(template, reader, given) for template in place.sequence("templates")]
    return f"analysis {', '.join(filter(None, found)) or 'of the step'} is good"


def _template(place: "Fields", reader: "Reader", given: set[str]) -> str:
    """Return the name of a template, with its conditions where the package has it; its arguments have to be given."""
    name = place.text("templateName")
    kind = "ClusterAnalysisTemplate" if place.flag("clusterScope") else "AnalysisTemplate"
    namespace = "" if place.flag("clusterScope") else reader.namespace
    item = reader.scene.lookup(Ref(f"{GROUP}/{VERSION}", kind, namespace, name))
    if item is None:
        return name
    spec = Fields(item.value, item.ref).mapping("spec")
    for entry in spec.sequence("args"):
        if not entry.has("value") and not entry.has("valueFrom") and entry.text("name") not in given:
            place.problem(f"args.{entry.text('name')} was not resolved: {item.ref} asks for it")
    said = [text for metric in spec.sequence("metrics") if (text := _condition(metric))]
    return f"{name} ({'; '.join(said)})" if said else name


def _condition(metric: "Fields") -> str:
    success, failure = metric.text("successCondition"), metric.text("failureCondition")
    return f"{metric.text('name')}: {success or f'not {failure}'}" if success or failure else ""


def checked(gate: Gate, *found: str) -> Gate:
    """Return a gate that also waits for what was found to be good; where a person decides, it goes on saying so."""
    own = "a person decides" if gate.seconds is None and any(found) else ""
    return gate.replace(check=" and ".join(filter(None, dict.fromkeys((gate.check or own, *found)))))


def seconds(place: "Fields") -> int | None:
    """Read a number of seconds, or a duration as Go writes it (``30s``, ``1h30m``)."""
    value = place.value
    if value is None:
        return None
    text = f"{value}s" if isinstance(value, int) or str(value).isdigit() else str(value)
    if isinstance(value, bool) or not _DURATION.fullmatch(text):
        place.problem(f"{value!r} is no duration: Duration needs to be greater than 0, such as 30, 90s or 1h30m")
        return 0
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
