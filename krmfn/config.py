"""What the function was asked to do: a ``RolloutStep``, a ConfigMap with the same words, or nothing."""

from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.kinds import ORDERINGS
from krmfn.krm.item import Ref
from krmfn.patches import Overrides, image, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Manifest

API_VERSION, KIND = "krmfn.dev/v1alpha1", "RolloutStep"
STEP, ISOLATION, PIN = "krmfn.dev/step", "krmfn.dev/isolation", "krmfn.dev/pin"
ROLLOUT, TRACK = "krmfn.dev/rollout", "krmfn.dev/track"
AUTO, SHARED, LABEL, TRACKED, RENAME = "auto", "shared", "label", "track", "rename"
VERSIONED = "versioned"
MODES = (AUTO, SHARED, LABEL, TRACKED, RENAME)
KNOWN = (
    "rollout",
    "step",
    "target",
    "stable",
    "isolation",
    "retarget",
    "adopted",
    "replicas",
    "manifests",
    "validate",
    "ordering",
    "configs",
)


class Config(Value):
    """One request. ``step`` is "" where it says nothing; ``replicas`` is what an autoscaler has chosen.

    ``manifests`` are objects that belong to the package as if they had been in it; ``validate`` asks for findings only;
    ``ordering`` names whoever applies a commit at once and is to do it in order.
    """

    rollout: str = ""
    step: str = ""
    target: Overrides = Overrides()
    stable: Overrides = Overrides()
    isolation: str = ""
    retarget: bool = False
    adopted: bool = False
    replicas: int | None = None
    manifests: "tuple[Manifest, ...]" = ()
    validate: bool = False
    ordering: str = ""
    configs: str = ""

    def means(self, ref: "Ref") -> bool:
        """Tell whether a rollout is the one that is named, as ``name`` or as ``namespace/name``."""
        return self.rollout in (ref.name, _whole(ref))

    def alone(self, ref: "Ref") -> "Config":
        """Return the same request for one rollout only, also where another namespace has one of its name."""
        return self.replace(rollout=_whole(ref))


def _whole(ref: "Ref") -> str:
    return f"{ref.namespace}/{ref.name}"


def parse(manifest: "Manifest | None") -> Config:
    """Read the function config. Raises ``Refused`` naming every field that is wrong."""
    if manifest is None:
        return Config()
    place = Fields(manifest, _ref(manifest))
    if manifest.get("kind") == KIND and str(manifest.get("apiVersion", "")).startswith("krmfn.dev/"):
        spec = place.mapping("spec")
        target, stable = read(spec.mapping("target")), read(spec.mapping("stable"))
    elif "data" in manifest or manifest.get("kind") == "ConfigMap":
        spec = place.mapping("data")
        target, stable = _images(spec), Overrides()
    else:
        message = (
            f"the function config is a {manifest.get('kind')}; use {API_VERSION} {KIND} (spec) or a ConfigMap (data)"
        )
        raise KrmfnError(message, ref=_ref(manifest), field="kind")
    _reject_unknown(spec)
    config = Config(
        rollout=spec.text("rollout"),
        step=_position(spec),
        target=target,
        stable=stable,
        isolation=spec.text("isolation", choices=MODES),
        retarget=spec.flag("retarget"),
        adopted=spec.flag("adopted"),
        replicas=_replicas(spec),
        manifests=tuple(_manifests(spec)),
        validate=spec.flag("validate"),
        ordering=spec.text("ordering", choices=ORDERINGS),
        configs=spec.text("configs", choices=(SHARED, VERSIONED)),
    )
    place.settle()
    return config


def _ref(manifest: "Manifest") -> Ref:
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else ""
    return Ref(str(manifest.get("apiVersion") or ""), str(manifest.get("kind") or ""), "", str(name or ""))


def _position(spec: Fields) -> str:
    place = spec.at("step")
    value = place.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool) or not isinstance(value, int):
        place.problem(f"{value} is no position; write a whole number, or a name such as promote or 2/scale")
        return ""
    return str(value)


def _replicas(spec: Fields) -> int | None:
    if isinstance(text := spec.at("replicas").value, str) and text.isdigit():
        return int(text)
    return spec.whole("replicas")


def _manifests(spec: Fields) -> "Iterator[Manifest]":
    for entry in spec.sequence("manifests"):
        name = entry.mapping("metadata", required=True).text("name", required=True)
        if entry.text("apiVersion", required=True) and entry.text("kind", required=True) and name:
            yield entry.value  # type: ignore[misc]  # a mapping, or it had no kind


def _images(data: Fields) -> Overrides:
    """Read the ``image: NAME=REF`` of a ConfigMap; several are separated by commas."""
    try:
        return Overrides(tuple(image(part.strip()) for part in data.text("image").split(",") if part.strip()))
    except KrmfnError as problem:
        data.at("image").problem(problem.message)
        return Overrides()


def _reject_unknown(spec: Fields) -> None:
    known = (*KNOWN, "image")
    for key in spec.names():
        if key not in known:
            import difflib

            near = difflib.get_close_matches(str(key), known, 1)
            spec.at(str(key)).problem(f"is not known{f'; did you mean {near[0]}?' if near else ''}")
