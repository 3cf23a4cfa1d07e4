"""One rollout at one position, with everything a renderer may look at; and what a renderer says in return."""

from krmfn.changes import GONE
from krmfn.config import RENAME, ROLLOUT
from krmfn.frozen import Value
from krmfn.isolation import ALL, Isolation, canary_name, short
from krmfn.kinds import body, carried
from krmfn.krm import Item, load, retext, same
from krmfn.krm.item import Ref
from krmfn.mounts import renamed
from krmfn.plan import PROMOTE, Plan, Position
from krmfn.revisions import Revisions
from krmfn.scaling import autoscaler, empties_itself
from krmfn.scene import Scene
from krmfn.stage import STABLE, TARGET, Stage, empties
from krmfn.stamp import stamped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.contents import Changed
    from krmfn.krm.item import Manifest


class Added(Value):
    """A new object: it stands next to ``source``, and leaves with the stage that does not have it."""

    manifest: "Manifest"
    source: Item


class Edited(Value):
    """A field of one of the author's objects: its new value (GONE removes it), as ``text`` where that matters."""

    item: Item
    path: tuple[str, ...]
    value: "Any" = GONE
    text: str = ""


class View(Value):
    """What is rendered.

    ``workload`` is the author's, as the author wrote it, of ``total`` pods; ``configs`` are the ConfigMaps (name, text)
    that the stable pods mount, ``secrets`` likewise where they are ``versioned``; ``versions`` are what has changed
    under its name.
    """

    scene: Scene
    plan: Plan
    position: Position
    stage: Stage
    isolation: Isolation
    revisions: Revisions
    workload: Item
    total: int
    configs: "tuple[tuple[str, str], ...]" = ()
    secrets: "tuple[tuple[str, str], ...]" = ()
    versions: "tuple[Changed, ...]" = ()
    versioned: bool = False

    @property
    def canary(self) -> Ref:
        """The workload of the canary's pods."""
        return self.body.replace(name=canary_name(self.body.name))

    @property
    def body(self) -> Ref:
        """The workload of the stable pods."""
        return body(self.workload.ref)

    @property
    def switched(self) -> bool:
        """Tell whether the stable Service itself leads to the canary: everybody gets it, and there is no route.

        Or there is one, and no stable pod: some routes answer with an error as soon as the Service that they divide
        is empty, however little it is to get. One that selects both sides by then is not.
        """
        if self.stage.traffic is None or self.stage.traffic.weight != ALL:
            return False
        emptied = not self.stage.pinned and (empties(self.plan, self.position, self.total) or self.bared)
        return not self.plan.routes or (self.isolation.mode == RENAME and emptied)

    @property
    def bared(self) -> bool:
        """Tell whether the stable side may be without a ready pod, for its template changes here."""
        renewed = PROMOTE in (self.position.start, self.position.end)
        return renewed and empties_itself(self.workload, self.total)

    @property
    def owns_autoscaler(self) -> bool:
        """Tell whether the canary has an autoscaler of its own, which then owns its number of pods."""
        return self.isolation.mode == RENAME and autoscaler(self.scene, self.workload) is not None

    def owned(self, metadata: "Manifest") -> "Manifest":
        """Return the metadata of an object that is the rollout's, by its label."""
        return metadata | {"labels": (metadata.get("labels") or {}) | {ROLLOUT: short(self.plan.rollout.name)}}

    def copied(self, source: "Manifest", name: str, spec: "Manifest") -> "Manifest":
        """Return an object of the rollout's, like one of the author's but for its name and its spec."""
        return {
            "apiVersion": source["apiVersion"],
            "kind": source["kind"],
            "metadata": {"name": name} | self.owned(carried(source.get("metadata") or {})),
            "spec": spec,
        }

    def template(self, revision: str) -> "Manifest":
        """Return a revision's pod template as the author's workload carries it."""
        isolation = self.isolation
        return stamped(load(self.text(revision)), isolation.mode, isolation.key, self.workload.ref.name)

    @property
    def stamps(self) -> bool:
        """Tell whether stable pods have to get a stamp, which their author has not written."""
        return not same(self.template(STABLE), load(self.text(STABLE)))

    def text(self, revision: str) -> str:
        """Return a revision's pod template as text, as the author wrote it."""
        return self.revisions.target if revision == TARGET and self.revisions.target else self.revisions.stable

    def reading(self) -> "Manifest":
        """Return the new version's pod template, with the canary's own copies of what has changed under its name."""
        template: Manifest = load(self.text(TARGET))
        names = {one.key: one.copy for one in self.versions if self.versioned}
        return renamed(template, names) if names else template

    def stamped_text(self, revision: str) -> str:
        """Return a revision's pod template as text, as the author's workload carries it."""
        text = self.text(revision)
        return retext(text, self.template(revision))
