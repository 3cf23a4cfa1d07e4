"""ALB: the action that the controller writes into the cluster alone, for a move to write it into Git.

Source: rollout/trafficrouting/alb; when a Rollout goes, its action is reset to the root Service.
"""

from krmfn.adoption import show
from krmfn.dialects.argo.nginx import ALB, GROUP, KIND, either
from krmfn.krm.item import Ref
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.krm import Item


def written(reader: "Reader") -> "Iterator[Edited]":
    """Yield, for each Ingress that has no action of the root Service, one that leads to the stable Service."""
    key, port = f"{ALB}/actions.{_root(reader)}", reader.routing.mapping("alb").whole("servicePort", 1)
    for item in _ingresses(reader):
        if port and key not in (item.value["metadata"].get("annotations") or {}):
            yield Edited(item, ("metadata", "annotations", key), _action(reader, port))


def reset(reader: "Reader") -> "Iterator[str]":
    """Yield what to look at when the Rollout is gone."""
    root, stable = _root(reader), _stable(reader)
    for item in _ingresses(reader) if root != stable else ():
        yield (
            f"apply once more where the action of Ingress {item.ref.name} no longer leads to {stable}: as the Rollout "
            f"goes, the controller lets it lead to {root}: `{show(item.ref, '.metadata.annotations')}`"
        )


def _ingresses(reader: "Reader") -> "Iterator[Item]":
    place = reader.routing.mapping("alb")
    for entry in either(place, "ingress", "ingresses") if place else ():
        if item := reader.scene.lookup(Ref(f"{GROUP}/v1", KIND, reader.namespace, str(entry.value))):
            yield item


def _stable(reader: "Reader") -> str:
    return reader.canary.text("stableService") or reader.canary.mapping("pingPong").text("pongService")


def _root(reader: "Reader") -> str:
    return reader.routing.mapping("alb").text("rootService", _stable(reader))


def _action(reader: "Reader", port: int) -> str:
    import json

    forward: dict[str, object] = {"targetGroups": [{"serviceName": _stable(reader), "servicePort": port}]}
    sticky = reader.routing.mapping("alb").mapping("stickinessConfig")
    if sticky.flag("enabled"):
        seconds = sticky.whole("durationSeconds")
        forward["targetGroupStickinessConfig"] = {"enabled": True, "durationSeconds": seconds}
    return json.dumps({"type": "forward", "forwardConfig": forward}, separators=(",", ":"))
