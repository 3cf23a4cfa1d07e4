"""The RolloutState: what a controller would keep in ``status``, kept in Git beside the package.

krmfn writes it and reads it back; nobody edits it. It holds, per rollout, both revisions of the pod template as text
(so that their comments return with them), the position, and how pods are told apart; per object that is edited in
place, what stood there and what we wrote; and what we wrote into the objects that we added. Its digest shows when a
merge has mixed two of them.
"""

from _blake2 import blake2b

from krmfn.config import API_VERSION
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.kinds import NOT_APPLIED
from krmfn.krm import dump, load
from krmfn.krm.item import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest

KIND, NAME = "RolloutState", "krmfn-state"


class Release(Value):
    """One rollout's entry: the templates are YAML text or ""; ``shows`` says which one the workload carries."""

    rollout: Ref
    workload: Ref
    position: str
    shows: str
    mode: str
    key: str
    stable: str
    target: str = ""
    previous: str = ""
    adopted: bool = False
    asked: str = ""
    configs: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()


class Edit(Value):
    """One field that we wrote into an object of the author's: ``base`` is what stood there, as text."""

    ref: Ref
    path: tuple[str, ...]
    base: str
    wrote: str


class State(Value):
    """Everything one package's state holds; ``added`` is what we wrote, per added object."""

    releases: tuple[Release, ...] = ()
    edits: tuple[Edit, ...] = ()
    added: "tuple[tuple[Ref, str], ...]" = ()

    def release(self, rollout: Ref) -> Release | None:
        """Return the entry of a rollout."""
        return self._kept("_releases", lambda: {r.rollout.key: r for r in reversed(self.releases)}).get(rollout.key)

    def wrote(self, ref: Ref) -> str:
        """Return what we wrote as an added object, "" where we added none of that name."""
        texts = self._kept("_texts", lambda: {other.key: text for other, text in reversed(self.added)})
        return str(texts.get(ref.key, ""))

    def _kept(self, name: str, table: "Callable[[], dict[Any, Any]]") -> "dict[Any, Any]":
        """Return a table that is made once: with a thousand rollouts, looking through all of them takes the square."""
        if name not in self.__dict__:
            self.__dict__[name] = table()
        return self.__dict__[name]  # type: ignore[no-any-return]


def digest(text: str, size: int = 16) -> str:
    """Return a short fingerprint in hexadecimal digits (twice ``size``)."""
    return blake2b(text.encode(), digest_size=size).hexdigest()


def fingerprint(value: "Any", size: int) -> str:
    """Return the fingerprint of what is meant, however it is written: whoever sorts keys has made no new version."""
    return digest(dump(_plain(value)), size)


def _plain(value: "Any") -> "Any":
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read(item: "Item") -> State:
    """Read a RolloutState. Raises KrmfnError when it was changed by anyone but us."""
    spec = item.value.get("spec") or {}
    if spec.get("digest") != digest(dump({k: v for k, v in spec.items() if k != "digest"})):
        message = (
            "was changed since krmfn wrote it (an edit, or a merge of two versions); "
            "restore the version of one side from Git and run krmfn again"
        )
        raise KrmfnError(message, ref=item.ref, field="spec.digest", file=item.path)
    return State(
        tuple(_release(entry) for entry in spec.get("rollouts") or ()),
        tuple(Edit(_ref(e["object"]), tuple(e["path"]), e["base"], e["wrote"]) for e in spec.get("edited") or ()),
        tuple((_ref(e["object"]), e["wrote"]) for e in spec.get("added") or ()),
    )


def write(state: State, namespace: str = "") -> "Manifest":
    """Write a RolloutState as the manifest that stands in the package."""
    spec: dict[str, Any] = {"rollouts": [_entry(release) for release in state.releases]}
    if state.edits:
        spec["edited"] = [
            {"object": _name(e.ref), "path": list(e.path), "base": e.base, "wrote": e.wrote} for e in state.edits
        ]
    if state.added:
        spec["added"] = [{"object": _name(ref), "wrote": text} for ref, text in state.added]
    spec["digest"] = digest(dump(spec))
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": NAME} | place | {"annotations": dict(NOT_APPLIED)}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def _release(entry: "Manifest") -> Release:
    return Release(
        rollout=_ref(entry["rollout"]),
        workload=_ref(entry["workload"]),
        position=entry["position"],
        shows=entry["shows"],
        mode=entry["isolation"]["mode"],
        key=entry["isolation"].get("key", ""),
        stable=entry["stable"],
        target=entry.get("target", ""),
        previous=entry.get("previous", ""),
        adopted=entry["isolation"].get("adopted", False),
        asked=entry.get("asked", ""),
        configs=tuple((entry.get("configMaps") or {}).items()),
        secrets=tuple((entry.get("secrets") or {}).items()),
        steps=tuple(entry.get("steps") or ()),
    )


def _entry(release: Release) -> "Manifest":
    isolation: Manifest = {"mode": release.mode}
    if release.key:
        isolation["key"] = release.key
    if release.adopted:
        isolation["adopted"] = True
    entry: Manifest = {
        "rollout": _name(release.rollout),
        "workload": _name(release.workload),
        "position": release.position,
        "isolation": isolation,
        "shows": release.shows,
        "stable": release.stable,
    }
    optional = {"target": release.target, "previous": release.previous, "asked": release.asked}
    entry.update({name: value for name, value in optional.items() if value})
    if release.steps:
        entry["steps"] = list(release.steps)
    for key, texts in (("configMaps", release.configs), ("secrets", release.secrets)):
        if texts:
            entry[key] = dict(texts)
    return entry


def _name(ref: Ref) -> "Manifest":
    place = {"namespace": ref.namespace} if ref.namespace else {}
    return {"apiVersion": ref.api_version, "kind": ref.kind} | place | {"name": ref.name}


def _ref(name: "Manifest") -> Ref:
    return Ref(name["apiVersion"], name["kind"], name.get("namespace", ""), name["name"])


__all__ = ["KIND", "NAME", "Edit", "Release", "State", "digest", "load", "read", "write"]
