"""What has to happen before a release goes on: a person, some time, or an analysis that somebody has to look at."""

import re

from krmfn.plan import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.fields import Fields

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


def check(place: "Fields") -> str:
    """Return what an analysis has to find, in a few words; "" where there is none."""
    if not place:
        return ""
    for entry in place.sequence("args"):
        path = entry.mapping("valueFrom").mapping("fieldRef")
        if path and not _FIELDS.fullmatch(path.text("fieldPath")):
            message = "Analyses arguments must refer to valid object metadata supported by downwardAPI"
            path.at("fieldPath").problem(message)
    names = [template.text("templateName") for template in place.sequence("templates")]
    return f"analysis {', '.join(filter(None, names)) or 'of the step'} is good"


def checked(gate: Gate, *found: str) -> Gate:
    """Return a gate that also waits for what was found to be good."""
    return gate.replace(check=" and ".join(filter(None, dict.fromkeys((gate.check, *found)))))


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
