"""Overrides of a manifest in kustomize's words: ``images:`` and ``patches:`` (strategic merge or JSON 6902).

Sources: kustomize's reference for ``images`` and ``patches``; "Strategic Merge Patch" in Kubernetes' API conventions;
RFC 6902, which jsonpatch implements.
"""

from krmfn import shapes
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.kinds import MERGE_KEYS
from krmfn.krm import load
from krmfn.results import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.item import Manifest, Ref

CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


class Image(Value):
    """An image to set: ``name`` is matched against the part of an image before its tag."""

    name: str
    new_name: str = ""
    new_tag: str = ""
    digest: str = ""


class Overrides(Value):
    """What turns one revision of a workload into another; empty when nobody said anything."""

    images: tuple[Image, ...] = ()
    patches: "tuple[Any, ...]" = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to change."""
        return bool(self.images or self.patches)


def read(place: Fields) -> Overrides:
    """Read ``images`` and ``patches`` of a function config."""
    images = []
    for entry in place.sequence("images"):
        name = entry.text("name", required=True)
        images.append(Image(name, entry.text("newName"), entry.text("newTag"), entry.text("digest")))
    patches = [_patch(entry) for entry in place.sequence("patches")]
    return Overrides(tuple(images), tuple(p for p in patches if p is not None))


def image(text: str) -> Image:
    """Read ``NAME=REF`` of a command line, where REF is a whole image reference.

    Raises KrmfnError when the text has another form.
    """
    name, equals, ref = text.partition("=")
    if not (name and equals and ref):
        message = f"--image {text!r}: write NAME=REF, such as web=registry.example.com/web:1.2"
        raise KrmfnError(message)
    base, tag, digest = split(ref)
    return Image(name, base, tag, digest)


def split(ref: str) -> tuple[str, str, str]:
    """Cut an image reference into name, tag and digest ("" where there is none)."""
    ref, _, digest = ref.partition("@")
    head, slash, last = ref.rpartition("/")
    name, _, tag = last.partition(":")
    return head + slash + name, tag, digest


def apply(overrides: Overrides, workload: "Manifest", ref: "Ref") -> "Manifest":
    """Return the workload ``ref`` with the overrides made; the given one stays as it was.

    Raises KrmfnError when an image name matches no container, or a patch cannot be applied or leaves no workload.
    """
    for patch in overrides.patches:
        workload = _json6902(workload, patch) if isinstance(patch, list) else merged(workload, patch)
    _check(workload, ref)
    for wanted in overrides.images:
        workload = _with_image(workload, wanted)
    return workload


def _check(workload: "Manifest", ref: "Ref") -> None:
    try:
        shapes.check_manifest(workload, ref)
    except KrmfnError as problem:
        first = problem.problems[0] if isinstance(problem, Refused) else problem
        message = f"{first.message}, once the patches of the function config are made"
        raise KrmfnError(message, field=first.field) from problem


def merged(value: "Any", patch: "Any", path: tuple[str, ...] = ()) -> "Any":
    """Return ``value`` with a strategic merge patch made: null removes, ``$patch`` replaces or deletes."""
    if isinstance(patch, dict) and isinstance(value, dict):
        if patch.get("$patch") == "replace":
            return {k: v for k, v in patch.items() if k != "$patch"}
        result = dict(value)
        for key, inner in patch.items():
            if inner is None:
                result.pop(key, None)
            else:
                result[key] = merged(result[key], inner, (*path, key)) if key in result else _plain(inner)
        return result
    if isinstance(patch, list) and isinstance(value, list) and path and path[-1] in MERGE_KEYS:
        return _merged_list(value, patch, path)
    return _plain(patch)


def _merged_list(value: "list[Any]", patch: "list[Any]", path: tuple[str, ...]) -> "list[Any]":
    key = MERGE_KEYS[path[-1]][0]
    if any(isinstance(entry, dict) and entry.get("$patch") == "replace" for entry in patch):
        return _replaced(patch, path)
    result = list(value)
    for entry in patch:
        if not isinstance(entry, dict) or key not in entry:
            message = f"patches: an entry of {'.'.join(path)} has no {key!r}, by which entries of that list are merged"
            raise KrmfnError(message)
        places = [i for i, old in enumerate(result) if isinstance(old, dict) and old.get(key) == entry[key]]
        if entry.get("$patch") == "delete":
            result = [old for i, old in enumerate(result) if i not in places]
        elif places:
            result[places[0]] = merged(result[places[0]], entry, path)
        else:
            result.append(_plain(entry))
    return result


def _replaced(patch: "list[Any]", path: tuple[str, ...]) -> "list[Any]":
    """Return the entries of a list that replaces another one; the directive is an entry of its own."""
    rest = [entry for entry in patch if entry != {"$patch": "replace"}]
    if any(isinstance(entry, dict) and "$patch" in entry for entry in rest):
        message = f"patches: in {'.'.join(path)}, `$patch: replace` is an entry of its own, and replaces the whole list"
        raise KrmfnError(message)
    return [_plain(entry) for entry in rest]


def _plain(value: "Any") -> "Any":
    """Return a patch as a value: without directives and without the nulls that mean "remove"."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None and k != "$patch"}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _json6902(workload: "Manifest", patch: "list[Any]") -> "Manifest":
    import jsonpatch

    try:
        result: Manifest = jsonpatch.apply_patch(workload, patch)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as problem:
        message = f"patches: the JSON 6902 patch cannot be applied: {problem}"
        raise KrmfnError(message) from problem
    return result


def _with_image(workload: "Manifest", wanted: Image) -> "Manifest":
    spec = workload["spec"]["template"].get("spec") or {}
    found = [(field, c) for field in CONTAINERS for c in spec.get(field) or () if isinstance(c, dict)]
    if not any(_matches(wanted.name, c) for _, c in found):
        known = ", ".join(f"{split(str(c.get('image', '')))[0]} (container {c.get('name')})" for _, c in found)
        message = f"no container runs an image named {wanted.name!r}; there is {known or 'no container'}"
        raise KrmfnError(message, field="spec.template.spec.containers")
    changed = {
        field: [_retagged(c, wanted) if _matches(wanted.name, c) else c for c in spec[field]]
        for field in {field for field, _ in found}
    }
    template = workload["spec"]["template"] | {"spec": spec | changed}
    return workload | {"spec": workload["spec"] | {"template": template}}


def _matches(name: str, container: "Manifest") -> bool:
    return split(str(container.get("image", "")))[0] == name


def _retagged(container: "Manifest", wanted: Image) -> "Manifest":
    name, tag, digest = split(str(container.get("image", "")))
    if wanted.new_tag or wanted.digest:
        tag, digest = wanted.new_tag, wanted.digest
    ref = (wanted.new_name or name) + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    return container | {"image": ref}


def _patch(entry: Fields) -> "Any":
    """Read one patch: kustomize's ``{patch: "…"}``, or the patch itself."""
    given: Any = entry.value
    if isinstance(given, str):
        given = _loaded(given, entry)
    elif isinstance(given, dict) and "patch" in given:
        given = _loaded(given["patch"], entry.at("patch")) if isinstance(given["patch"], str) else given["patch"]
    if not isinstance(given, dict | list):
        entry.problem("must be a strategic merge patch (a mapping) or a JSON 6902 patch (a list of operations)")
        return None
    return given


def _loaded(text: str, place: Fields) -> "Any":
    try:
        return load(text)
    except KrmfnError as problem:
        place.problem(f"is not YAML: {problem.message}")
        return None
