"""Blue-green: the new version beside the old one at full size, and an active Service that goes over to it at once.

There is no route: the selector of the active Service is one. It is the first step to look at the new version through
the preview Service, and the second that everybody gets it.
"""

from krmfn.dialects.argo import gates
from krmfn.dialects.argo.reader import ALL
from krmfn.plan import Amount, Gate, Pair, Step, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.argo.reader import Reader

DELAY = 30


def services(reader: "Reader") -> tuple[Pair, ...]:
    """Return the active Service and the preview Service, which may be missing."""
    place = reader.blue_green
    active, preview = (reader.service(place, f"{side}Service") for side in ("active", "preview"))
    if not active:
        place.at("activeService").problem("is required")
    if active and active == preview:
        message = "This rollout uses the same service for the active and preview services, but two different services "
        place.at("previewService").problem(f"{message}are required.")
    limit, history = place.whole("scaleDownDelayRevisionLimit"), reader.spec.whole("revisionHistoryLimit")
    if limit is not None and limit > (10 if history is None else history):
        message = "revision history limit can not be smaller than the rollout's scale down limit"
        place.at("scaleDownDelayRevisionLimit").problem(message)
    given = f"{place.path}.previewService" if preview else ""
    return (Pair(active, preview, f"{place.path}.activeService", given),)


def steps(reader: "Reader") -> tuple[Step, ...]:
    """Return the two steps: a preview, and everybody."""
    place = reader.blue_green
    count, everyone = place.whole("previewReplicaCount", 1), Amount(ALL, percent=True)
    seconds, delay = place.whole("autoPromotionSeconds") or 0, place.whole("scaleDownDelaySeconds")
    by_itself = not place.has("autoPromotionEnabled") or place.flag("autoPromotionEnabled")
    good = [gates.check(place.mapping(f"{when}PromotionAnalysis"), reader) for when in ("pre", "post")]
    before = gates.checked(Gate(seconds if by_itself else None), good[0])
    after = gates.checked(Gate(DELAY if delay is None else delay), good[1])
    preview = everyone if count is None else Amount(count, beyond=True)
    return (
        Step(preview, Traffic(weight=0), before, place.path),
        Step(everyone, Traffic(weight=ALL), after, place.path),
    )
