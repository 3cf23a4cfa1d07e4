"""What a Rollout says about the pods of either side: their labels and annotations, and that they keep apart."""

from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.results import WARNING, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.argo.reader import Reader

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class Metadata(Value):
    """Labels and annotations of pods."""

    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


def names(reader: "Reader") -> tuple[str, str]:
    """Return the fields that hold what the canary's pods have, and what the stable ones do."""
    return ("previewMetadata", "activeMetadata") if reader.blue_green else ("canaryMetadata", "stableMetadata")


def labelled(reader: "Reader") -> str:
    """Say where an author gives the pods of both sides labels."""
    canary, stable = names(reader)
    return f"{canary} and {stable if reader.inline else 'the pod template'}"


def metadata(reader: "Reader") -> tuple[Metadata, Metadata]:
    """Return what the canary's pods have, and what the stable ones do.

    A controller writes the latter onto running pods. Here it is a part of their template: of the one that is made where
    the Rollout has its own, and elsewhere of the author's.
    """
    place, (one, other) = reader.blue_green or reader.canary, names(reader)
    canary, stable = (_metadata(place.mapping(name)) for name in (one, other))
    if reader.inline or stable == Metadata():
        return canary, stable
    item = reader.scene.lookup(reader.workload)
    template = Fields(item.value).mapping("spec").mapping("template").mapping("metadata") if item else Fields(None)
    there = _metadata(template)
    if not {*stable.labels} <= {*there.labels} or not {*stable.annotations} <= {*there.annotations}:
        message = f"is not on the pod template of {reader.workload}: write it there, where {one} overrides it"
        place.at(other).problem(message)
    return canary, Metadata()


def _metadata(place: Fields) -> Metadata:
    return Metadata(tuple(place.labels("labels").items()), tuple(place.labels("annotations").items()))


def avoids(reader: "Reader") -> int | None:
    """Return the weight with which new pods keep off the nodes of old ones: 0 always, None not at all."""
    place = (reader.blue_green or reader.canary).mapping("antiAffinity")
    if not place:
        return None
    if place.has(REQUIRED) == place.has(PREFERRED):
        place.problem("AntiAffinity must have exactly one strategy listed")
    if place.has(REQUIRED):
        message = (
            "keeps the new pods of the stable workload off the nodes of the canary's as well, until the release is "
            "complete; there have to be nodes for both, or say it is preferred"
        )
        reader.remarks.append(Result(WARNING, message, place.ref, place.at(REQUIRED).path))
        return 0
    return place.mapping(PREFERRED).whole("weight", 1, 100) or 1
