"""Moving over from KubeVela: the Application lets go of its objects, and Git takes them over as they run.

Sources: an Application owns its objects through its ResourceTrackers and writes them anew again and again, so Git
cannot have them beside it; its deletion deletes them, unless the finalizer ``app.oam.dev/orphan-resource`` is on it,
which is what ``vela delete --orphan`` puts there. The Rollout that it made for a release is one of them, and at rest it
moves no pod.
"""

from krmfn.adoption import Commit, Signs, kept, kubectl, released
from krmfn.changes import GONE
from krmfn.dialects.kubevela.reader import Reader
from krmfn.dialects.kubevela.releases import released as component
from krmfn.krm.item import Ref
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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
    return (
        Commit(
            "The Application will leave its objects behind",
            "Deleting an Application deletes what it owns, unless it has that finalizer. The annotations keep hosts "
            "from deleting it when it leaves Git.",
            tuple(_first(rollout, found.name, reader.namespace)),
            edits=(Edited(rollout, ("metadata", "finalizers"), [*finalizers, ORPHANS]), *kept(rollout)),
        ),
        Commit(
            "Git has the objects, and the Application is no longer applied",
            "Nobody writes the objects any more, so Git may. From here on the Application is read by krmfn alone, and "
            "position 0 is what stands in Git.",
            tuple(_last(found.name, reader.namespace)),
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


def _first(rollout: "Item", name: str, namespace: str) -> "Iterator[str]":
    shown = kubectl("get", Ref(ROLLOUT, "Rollout", namespace, name), "-o", "jsonpath={.status.phase}")
    yield f"no release is under way: `{shown}` says Healthy"
    yield f"its finalizers have {ORPHANS}: `{kubectl('get', rollout.ref, '-o', 'jsonpath={.metadata.finalizers}')}`"
    yield f"then by hand, once: `{kubectl('delete', rollout.ref)}`; it is gone, and its objects are there as before"


def _last(name: str, namespace: str) -> "Iterator[str]":
    yield f"by hand, once: `{kubectl('delete', Ref(ROLLOUT, 'Rollout', namespace, name))}`, which moves no pod at rest"
    yield "the host has taken the objects over, and requests are answered as before"
