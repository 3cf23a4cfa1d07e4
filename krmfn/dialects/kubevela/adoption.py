"""Moving over from KubeVela: the Application lets go of its objects, and Git takes them over as they run.

Sources: an Application owns its objects through its ResourceTrackers and writes them anew again and again, so Git
cannot have them beside it; its deletion deletes them, unless the finalizer ``app.oam.dev/orphan-resource`` is on it,
which is what ``vela delete --orphan`` puts there. The Rollout that it made for a release is one of them, and at rest it
moves no pod.
"""

from krmfn.adoption import Commit, Signs, apart, kept, kubectl, released, show
from krmfn.changes import GONE
from krmfn.dialects.kubevela.objects import HELM
from krmfn.dialects.kubevela.reader import Reader
from krmfn.dialects.kubevela.releases import released as component
from krmfn.krm.item import Ref
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kubevela.reader import Component
    from krmfn.krm import Item
    from krmfn.scene import Scene

ORPHANS = "app.oam.dev/orphan-resource"
RESTING = ("running",)
ROLLOUT = "rollouts.kruise.io/v1alpha1"


def adoption(rollout: "Item", scene: "Scene") -> tuple[Commit, ...]:
    """Return the commits. Raises ``Refused`` with all that says that a release is under way."""
    reader = Reader(rollout, scene)
    found, _ = component(reader)
    _check(rollout)
    finalizers = [one for one in (rollout.value["metadata"].get("finalizers") or []) if one != ORPHANS]
    made = Ref(ROLLOUT, "Rollout", reader.namespace, found.name)
    return (
        Commit(
            "The Application will leave its objects behind",
            "Deleting an Application deletes what it owns, unless it has that finalizer. The annotations keep hosts "
            "from deleting it when it leaves Git.",
            (f"wait until it has {ORPHANS}: `{show(rollout.ref, '.metadata.finalizers')}`",),
            before=(f"see that no release is under way: `{show(made, '.status.phase')}`",),
            edits=(Edited(rollout, ("metadata", "finalizers"), [*finalizers, ORPHANS]), *kept(rollout)),
        ),
        Commit(
            "The Application is no longer applied",
            "While it is there it writes its objects anew again and again, so Git cannot have them; while it is in Git "
            "it would come back.",
            tuple(_left(rollout.ref, made, found)),
            edits=tuple(apart(rollout)),
        ),
        Commit(
            "Git has the objects",
            "Nobody else writes them any more. Pods are replaced, a few at a time, only where Git has more or less to "
            "say about them than the controllers. Position 0 is what stands in Git.",
            ("wait until the host has taken the objects over, and requests are answered as before",),
            edits=(Edited(rollout, ("metadata", "finalizers"), finalizers or GONE), *released(rollout)),
        ),
    )


def _check(rollout: "Item") -> None:
    signs = Signs(rollout)
    status = signs.top.mapping("status")
    signs.phase(status.at("status"), RESTING)
    workflow = status.mapping("workflow")
    if workflow.flag("suspend"):
        workflow.at("suspend").problem("is true: a release may stand in the middle; end it before moving over")
    signs.settle()


def _left(application: Ref, made: Ref, found: "Component") -> "Iterator[str]":
    yield f"by hand: `{kubectl('delete', application)}`; wait until it is gone, and its objects are there as before"
    yield f"by hand: `{kubectl('delete', made)}`, which moves no pod at rest"
    if found.type == HELM:
        chart = Ref("helm.toolkit.fluxcd.io/v2", "HelmRelease", application.namespace, found.name)
        patch = """'{"spec":{"suspend":true}}'"""
        suspend = kubectl("patch", chart, "--type=merge", "-p", patch)
        delete = kubectl("delete", chart)
        yield f"by hand: `{suspend}`, and then `{delete}`; suspended, it does not take the chart along"
