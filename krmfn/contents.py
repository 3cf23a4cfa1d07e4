"""What pods read besides their image: ConfigMaps and Secrets, and which of them a release changes under their names.

Where they are versioned the canary gets a copy with the new content, and the old one stays for the stable pods until
``promote``. A stamp in the template of the new version makes a change of content one of the version: pods start anew.
"""

from krmfn.changes import apply, diff
from krmfn.config import SHARED, VERSIONED
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.isolation import short
from krmfn.kinds import TWIN
from krmfn.krm import dump, load, retext, same
from krmfn.krm.item import Ref
from krmfn.mounts import mounted
from krmfn.revisions import Revisions
from krmfn.scene import bare
from krmfn.state import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from krmfn.config import Config
    from krmfn.krm import Item, Package
    from krmfn.krm.item import Manifest
    from krmfn.plan import Plan
    from krmfn.scene import Scene
    from krmfn.state import Release

    Known = Mapping[tuple[str, str], str]

STAMP = "krmfn.dev/configs"
MAP, SECRET = "ConfigMap", "Secret"
CONTENT = ("data", "binaryData", "stringData")


class Changed(Value):
    """One that has changed under its name: the author's, and what the stable pods read."""

    item: "Item"
    was: "Manifest"

    @property
    def key(self) -> tuple[str, str]:
        """Its kind and name."""
        return self.item.ref.kind, self.item.ref.name

    @property
    def copy(self) -> str:
        """The name of the canary's copy."""
        return _copy(self.item.ref.name)


def _copy(name: str) -> str:
    return short(f"{name}-canary", 253)


def versioned(plan: "Plan", config: "Config") -> bool:
    """Tell whether each version has its own content."""
    return config.configs == VERSIONED or (plan.versioned and config.configs != SHARED)


def known(release: "Release | None", stable: "Package | None", namespace: str) -> "dict[tuple[str, str], str]":
    """Return what the stable pods read, as text: as the state kept it, else as the manifests of what runs say."""
    found: dict[tuple[str, str], str] = {}
    for kind in (MAP, SECRET):
        for item in stable.find(kind) if stable else ():
            if item.ref.key[:3] == ("", kind, namespace):
                found[kind, item.ref.name] = dump(bare(item.value))
    if release:
        found |= {(MAP, name): text for name, text in release.configs}
        found |= {(SECRET, name): text for name, text in release.secrets}
    return found


def kept(
    scene: "Scene", plan: "Plan", template: str, there: "Known", *, fixed: bool
) -> "Iterator[tuple[tuple[str, str], str]]":
    """Yield (kind and name, text) of all that a template needs: as it stands in the package, else as it is known.

    ``fixed``: as it is known, else as it stands in the package.
    """
    for key in sorted(mounted(load(template))):
        item = scene.lookup(Ref("v1", key[0], plan.workload.namespace, key[1]))
        free = key in plan.unversioned
        if free and key[0] == SECRET:
            continue
        if item is not None and not encrypted(item.value) and (free or not (fixed and key in there)):
            yield key, dump(bare(item.value))
        elif key in there:
            yield key, there[key]


def encrypted(manifest: "Manifest") -> bool:
    """Tell whether nobody here can read the content, so that it differs each time it is written."""
    return "sops" in manifest


def changed(scene: "Scene", plan: "Plan", revisions: Revisions, there: "Known") -> "Iterator[Changed]":
    """Yield those that both versions read, and whose content is another one now. Raises for one that cannot change."""
    stable, target = (mounted(load(text)) for text in (revisions.stable, revisions.target or revisions.stable))
    for key in sorted(stable & target & set(there) - set(plan.unversioned)):
        item = scene.lookup(Ref("v1", key[0], plan.workload.namespace, key[1]))
        was: Manifest = load(there[key])
        if item is None or encrypted(item.value):
            continue
        item = _typed(scene, item)
        if same(content(item.value), content(was)):
            continue
        if was.get("immutable"):
            message = "has changed and is immutable, so the API server refuses it; give it a new name"
            raise KrmfnError(message, ref=item.ref, field="immutable", file=item.path)
        yield Changed(item, was)


def _typed(scene: "Scene", item: "Item") -> "Item":
    """Return the author's with what people have changed in the canary's copy, where they see the new content."""
    ref = item.ref.replace(name=_copy(item.ref.name))
    prior, wrote = scene.added.get(ref.key), scene.state.wrote(ref)
    if prior is None or not wrote or item.mark < 0:
        return item
    changes = [change for change in diff(load(wrote), bare(prior.value)) if change.path[0] in CONTENT]
    if changes:
        scene.authored[item.mark] = item = item.edited(apply(changes, item.value))
    return item


def content(manifest: "Manifest") -> "Manifest":
    """Return what pods can read of a ConfigMap or a Secret."""
    return {key: manifest[key] for key in CONTENT if manifest.get(key)}


def stamped(revisions: Revisions, found: "tuple[Changed, ...]", plan: "Plan", release: "Release | None") -> Revisions:
    """Return the revisions with the stamp of the content in the target. Raises where both sides are one object."""
    if found and plan.style != TWIN:
        message = "has changed under its name, and both versions are pods of one object; give it a new name"
        raise KrmfnError(message, ref=found[0].item.ref, field="data", file=found[0].item.path)
    mark = fingerprint([[*one.key, content(one.item.value)] for one in found], 8) if found else _mark(revisions.stable)
    text = revisions.target or (revisions.stable if found else "")
    if not text or _mark(text) == mark:
        return revisions
    target = retext(text, _marked(load(text), mark))
    before = release.target if release else ""
    new = not (before and same(load(before), load(target))) if release else revisions.new or bool(found)
    return revisions.replace(target=target, new=new)


def _mark(template: str) -> str:
    return str(((load(template).get("metadata") or {}).get("annotations") or {}).get(STAMP, ""))


def _marked(template: "Manifest", mark: str) -> "Manifest":
    metadata = template.get("metadata") or {}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != STAMP}
    if mark:
        annotations[STAMP] = mark
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return template | {"metadata": rest | ({"annotations": annotations} if annotations else {})}
