"""What a ScaledObject scales on, asked about the canary: a query that names the stable side names the canary's instead.

A name stands as a whole, and is not that of a namespace, a container, an image or a metric, which are the same for
both sides.
Sources: KEDA's references of ScaledObject and of its scalers.
"""

import re

from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krmfn.krm.item import Manifest

# Measured at the pods that are scaled, so they need no words.
OWN = ("cpu", "memory")
_SAME = re.compile(r"(?:namespace|container|image)\w*\s*[=!~:]{1,3}\s*[\"']?[^\s,{}\"']*$")
# No part of a longer name, no namespace before ``.svc``; and no metric, which is the same whoever's it is.
_ALONE = r"(?!\w|-\w|\\{0,2}\.svc\b|:[A-Za-z_]|\{[^\d]|\[\d+[a-z]+[\]:])"
_ANY_END = re.compile(r"-?(?:\.[*+]|[*%])")
_FAR = 99


class Names(Value):
    """What both sides are called: (stable, canary), of the workload, its pods and its Services."""

    pairs: tuple[tuple[str, str], ...]

    def asked(self, query: str) -> str:
        """Return a query with the names of the canary in the place of those of the stable side."""
        parts, last = [], 0
        for found in self._found(query, (stable for stable, _ in self.pairs)):
            parts += [query[last : found.start()], dict(reversed(self.pairs))[found.group()]]
            last = found.end()
        return "".join((*parts, query[last:]))

    def theirs(self, query: str) -> str:
        """Return the first name of the canary in a query, "" where there is none."""
        found = next(self._found(query, (canary for _, canary in self.pairs)), None)
        return found.group() if found else ""

    def remarks(self, query: str) -> "Iterator[str]":
        """Yield what there is to know of a query of the author's."""
        own = list(self._found(query, (stable for stable, _ in self.pairs)))
        wide = [found.group() + end.group() for found in own if (end := _ANY_END.match(query, found.end()))]
        if canary := self.theirs(query):
            yield f"asks about {canary}, and stable pods are scaled by it; let it ask about them alone"
        elif wide:
            yield f"asks about {wide[0]}, which is the canary's as well, and stable pods are scaled by both"
        elif not own:
            yield f"has nothing of {self.pairs[0][0]} in its query, so it scales both sides by the same number"
        for name in sorted({found.group() for found in own}):
            called = dict.fromkeys(canary for stable, canary in self.pairs if stable == name)
            if len(called) > 1:
                yield f"asks about {name}, which is {' or '.join(called)} for the canary; the first is taken"

    @staticmethod
    def _found(query: str, names: "Iterable[str]") -> "Iterator[re.Match[str]]":
        """Yield where one of the names stands as a whole, and is what differs between the sides."""
        known = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True))
        for found in re.finditer(rf"(?<![\w/])(?<!\w-)(?:{known}){_ALONE}", query):
            if not _SAME.search(query, max(0, found.start() - _FAR), found.start()):
                yield found


def triggers(listed: "list[Manifest]", names: Names) -> "Iterator[tuple[Manifest, tuple[str, ...]]]":
    """Yield each trigger as the canary has it, with what there is to know of it."""
    for trigger in listed:
        metadata = trigger.get("metadata") or {}
        query = metadata.get("query")
        called = trigger.get("name") or trigger.get("type")
        if isinstance(query, str):
            said = tuple(f"the trigger {called} {remark}" for remark in names.remarks(query))
            yield trigger | {"metadata": metadata | {"query": names.asked(query)}}, said
        elif trigger.get("type") in OWN:
            yield trigger, ()
        else:
            yield trigger, (f"the trigger {called} has no query, so it scales both sides by the same number",)
