"""What of a Canary a controller does with time, or with its memory; in Git there is neither, and it is said so."""

from krmfn.kinds import TWIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.flagger.reader import Reader

CONTROLLERS = ("metricsServer", "progressDeadlineSeconds", "revertOnDeletion")
OF_THE_ANALYSIS = ("alerts",)
THRESHOLDS = ("primaryReadyThreshold", "canaryReadyThreshold")
HOOKS = {
    "confirm-rollout": "is to be asked before 0>1/scale",
    "post-rollout": "is to be called after complete",
    "rollback": "is for a controller: whoever withdraws the release goes to 0",
    "event": "is for a controller, and means nothing here",
}


def mention(reader: "Reader") -> None:
    """Say what means nothing here, and whose call it is where a controller would have called."""
    unheard = OF_THE_ANALYSIS if reader.style == TWIN else (*OF_THE_ANALYSIS, *THRESHOLDS)
    for place, keys in ((reader.spec, CONTROLLERS), (reader.analysis, unheard)):
        for key in keys:
            if place.has(key):
                reader.remark(place.at(key), "is for a controller, and means nothing here")
    for hook in reader.analysis.sequence("webhooks"):
        if said := HOOKS.get(hook.text("type")):
            reader.remark(hook, f"{hook.text('name')} {said}")
