"""The traits that let a HorizontalPodAutoscaler choose the number of pods."""

from krmfn.dialects.kubevela.reader import only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kubevela.reader import Component, Reader, Trait
    from krmfn.fields import Fields
    from krmfn.krm.item import Manifest

TARGET = ("min", "max", "targetAPIVersion", "targetKind")
LEAST, MOST, USUAL = 1, 10, 50
UTILIZATION, VALUE = "Utilization", "AverageValue"


def cpuscaler(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield the autoscaler of a ``cpuscaler``."""
    place = trait.properties
    only(place, (*TARGET, "cpuUtil"))
    spec = _range(component, place) | {"targetCPUUtilizationPercentage": _whole(place, "cpuUtil", USUAL)}
    yield _autoscaler(reader, component, "v1", spec)


def hpa(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield the autoscaler of an ``hpa``."""
    place = trait.properties
    only(place, (*TARGET, "cpu", "mem", "podCustomMetrics"))
    metrics = [_resource("cpu", place.mapping("cpu"))]
    if place.has("mem"):
        metrics.append(_resource("memory", place.mapping("mem")))
    for metric in place.sequence("podCustomMetrics"):
        target = {"type": VALUE, "averageValue": metric.text("value", required=True)}
        pods = {"metric": {"name": metric.text("name", required=True)}, "target": target}
        metrics.append({"type": "Pods", "pods": pods})
    yield _autoscaler(reader, component, "v2", _range(component, place) | {"metrics": metrics})


def _autoscaler(reader: "Reader", component: "Component", version: str, spec: "Manifest") -> "Manifest":
    kind = "HorizontalPodAutoscaler"
    return {"apiVersion": f"autoscaling/{version}", "kind": kind, "metadata": reader.metadata(component), "spec": spec}


def _range(component: "Component", place: "Fields") -> "Manifest":
    target = {
        "apiVersion": place.text("targetAPIVersion", "apps/v1"),
        "kind": place.text("targetKind", "Deployment"),
        "name": component.name,
    }
    limits = {"minReplicas": _whole(place, "min", LEAST), "maxReplicas": _whole(place, "max", MOST)}
    return {"scaleTargetRef": target} | limits


def _resource(name: str, place: "Fields") -> "Manifest":
    kind, value = place.text("type", UTILIZATION, choices=(UTILIZATION, VALUE)), _whole(place, "value", USUAL)
    target = {"averageUtilization": value} if kind == UTILIZATION else {"averageValue": str(value)}
    return {"type": "Resource", "resource": {"name": name, "target": {"type": kind} | target}}


def _whole(place: "Fields", key: str, usual: int) -> int:
    found = place.whole(key, 1)
    return usual if found is None else found
