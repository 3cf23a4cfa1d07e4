"""The autoscaler of a Canary: it scales the author's workload, in which the stable pods run."""

from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.kinds import REVISIONS
from krmfn.krm.item import Ref
from krmfn.triggers import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm import Item

GROUPS = {"HorizontalPodAutoscaler": "autoscaling", "ScaledObject": "keda.sh"}


def check(reader: "Reader") -> None:
    """Hold that it is there and scales the workload; Flagger's copy of it is not needed."""
    place = reader.spec.mapping("autoscalerRef")
    if not place:
        return
    if reader.style == REVISIONS:
        place.problem(f"is not used: {reader.workload} scales by itself, within the limits that its template says")
        return
    kind = place.text("kind", required=True, choices=tuple(GROUPS))
    name = place.text("name", required=True)
    ref = Ref(place.text("apiVersion", f"{GROUPS.get(kind, '')}/v1"), kind, reader.namespace, name)
    item = reader.scene.lookup(ref) if kind and name else None
    if kind and name and item is None:
        place.at("name").problem(f"names {ref}, which is not in the package")
    if item is not None:
        target = Fields(item.value, item.ref).mapping("spec").mapping("scaleTargetRef")
        if target.text("name") != reader.workload.name:
            message = f"names {ref}, which scales {target.text('name') or 'nothing'}, not {reader.workload}"
            place.at("name").problem(message)
        _check_queries(reader, item)
    _check_range(reader, place.mapping("primaryScalerReplicas"), ref, item)
    if place.has("primaryScalerQueries"):
        message = (
            f"is not needed: stable pods run in {reader.workload}, which the queries of {ref} are about; those of the "
            "canary's own are made of them"
        )
        reader.remark(place.at("primaryScalerQueries"), message)


def _check_range(reader: "Reader", place: Fields, ref: Ref, item: "Item | None") -> None:
    """Refuse another range of pods for the copy, since there is none; the author's own says nothing new."""
    spec = (item.value.get("spec") or {}) if item else {}
    own = {"minReplicas": spec.get("minReplicas", 1), "maxReplicas": spec.get("maxReplicas")}
    if ref.kind == "ScaledObject":
        own = {"minReplicas": spec.get("minReplicaCount", 0), "maxReplicas": spec.get("maxReplicaCount", 100)}
    wanted = {key: place.at(key).value for key in own if place.has(key)}
    said = f"stable pods run in {reader.workload}, which {ref} scales"
    if wanted and own | wanted == own:
        reader.remark(place, f"is not needed: {said}, to the same numbers")
    elif wanted:
        place.problem(f"is not rendered: {said}, so write the numbers into that")


def _check_queries(reader: "Reader", item: "Item") -> None:
    """Refuse a query about the canary: with Flagger it scales the canary alone, here it would the stable pods."""
    sides = (reader.workload.name, f"{reader.workload.name}-canary"), (reader.primary, reader.canary)
    for trigger in Fields(item.value, item.ref, "", reader.top.problems).mapping("spec").sequence("triggers"):
        place = trigger.mapping("metadata").at("query")
        if theirs := Names(sides).theirs(str(place.value or "")):
            message = (
                f"asks about {theirs}, and scales {reader.workload}, in which the stable pods run: ask about these; "
                "the canary gets the same about itself"
            )
            reader.top.problems.append(KrmfnError(message, ref=item.ref, field=place.path, file=item.path))
