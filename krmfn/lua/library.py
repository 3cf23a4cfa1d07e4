"""Finding the script for a kind of route: building a path, or a key, from its group, kind and class."""

import os

from krmfn.errors import KrmfnError
from krmfn.lua.room import answer, library, result
from krmfn.lua.script import CUSTOM, FEATURES, INGRESS, PROVIDER, Script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Kinds that have moved to another group and kept their meaning.
MOVED = {
    ("extensions", "Ingress"): "networking.k8s.io",
    ("traefik.containo.us", "TraefikService"): "traefik.io",
}
# What the parts of an API group, a kind and a class are made of; none of them leads out of a folder.
LABEL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
# What a run has found; its many rollouts look for the same few.
_FOUND: dict[str, Script] = {}


def find(group: str, kind: str, variant: str = "") -> Script | None:
    """Return the built-in provider ``lua/<group>/<Kind>[/<variant>]/render.lua``, None where there is none.

    ``group`` is "" for the core API, ``variant`` an Ingress class. Raises KrmfnError where our own script is broken.
    """
    parts = [MOVED.get((group, kind), group) or "core", kind, *([variant] if variant else [])]
    if not all(label and not label.strip(LABEL) for part in parts for label in part.split(".")):
        return None
    name = "/".join(parts)
    if name not in _FOUND:
        path = os.path.join(library(), *parts, "render.lua")
        if not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8") as file:
            _FOUND[name] = load(name, file.read())
    return _FOUND[name]


def load(name: str, source: str) -> Script:
    """Return a provider of ours, with what it says that it supports.

    Raises KrmfnError where it does not load, or supports something that nobody has heard of.
    """
    script = Script(name, source, frozenset(), trusted=True, shape=PROVIDER)
    said = result(script, answer(script, None))
    supports = frozenset(said["supports"])
    if unknown := sorted(supports - set(FEATURES)):
        message = f"{name}: supports {', '.join(unknown)}, but the words are {', '.join(FEATURES)}"
        raise KrmfnError(message)
    return script.replace(supports=supports, reads=said["reads"])


def from_config(data: "Mapping[str, str]", group: str, kind: str, variant: str = "") -> Script | None:
    """Return the script that the data of a ConfigMap hold for a kind of route, None where they hold none.

    The keys are Kruise's: ``lua.traffic.routing.ingress.<class>`` (no class is nginx) and
    ``lua.traffic.routing.<Kind>.<group>``, where the core group is written ``v1``. What such a script can express is
    not known, so it is taken to support everything: it is handed the whole stage.
    """
    keys = {f"lua.traffic.routing.{kind}.{group or 'v1'}": CUSTOM}
    if kind == "Ingress":
        keys = {f"lua.traffic.routing.ingress.{variant or 'nginx'}": INGRESS, **keys}
    for key, shape in keys.items():
        if key in data:
            return Script(key, data[key], frozenset(FEATURES), trusted=False, shape=shape)
    return None
