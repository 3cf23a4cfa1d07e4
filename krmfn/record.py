"""What the state keeps of a view, so that the next run knows what we did."""

from krmfn.config import TRACKED
from krmfn.plan import COMPLETE
from krmfn.stage import STABLE, TARGET
from krmfn.state import Release
from krmfn.view import View


def recorded(view: View) -> Release:
    """Return the entry of a rollout: after ``complete`` the target is the stable revision."""
    revisions, position = view.revisions, str(view.position)
    prior = view.scene.state.release(view.plan.rollout)
    adopted = bool(prior and prior.adopted) or view.isolation.mode == TRACKED
    entry = Release(
        rollout=view.plan.rollout,
        workload=view.workload.ref,
        position=position,
        shows=TARGET if view.stage.template == TARGET and revisions.target else STABLE,
        mode=view.isolation.mode,
        key=view.isolation.key,
        stable=revisions.stable,
        target=revisions.target if revisions.differ else "",
        previous=prior.previous if prior else "",
        adopted=adopted,
        asked=revisions.asked,
        configs=view.configs,
        secrets=view.secrets,
        steps=() if position in ("0", COMPLETE) else view.plan.summary,
    )
    if position == COMPLETE and revisions.target:
        previous = revisions.stable if revisions.differ else entry.previous
        return entry.replace(shows=STABLE, stable=revisions.target, target="", previous=previous)
    return entry
