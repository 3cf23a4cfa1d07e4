"""The door to ruamel.yaml: rewriting a document whose layout stands in the way of surgical edits.

It keeps comments, order and quotes through a document tree of its own, which is how it copes with anchors, merge keys
and `? key` entries. It reads YAML 1.2, so it is never asked what a value is: what has not changed is left alone, and
what is new is quoted wherever its writer would leave it plain.
"""

from __future__ import annotations

from krmfn.krm import scalars
from krmfn.krm.alike import same
from krmfn.krm.emit import literal
from krmfn.krm.source import UnfitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.emit import Style


def rewritten(document: str, before: Any, value: Any, style: Style) -> str:
    """Return the document changed to mean ``value``; ``before`` is what it means now.

    The caller has to check the result. Raises UnfitError where ruamel.yaml is not installed or fails.
    """
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise UnfitError from None
    from io import StringIO

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.width = 1 << 30
    yaml.indent(mapping=style.step, sequence=style.hang + 2, offset=style.hang)
    out = StringIO()
    try:
        yaml.dump(_changed(yaml.load(document), before, value), out)
    except Exception as error:  # noqa: BLE001 - its errors have no common class, and there is another way
        raise UnfitError(str(error)) from None
    return out.getvalue()


def _changed(old: Any, before: Any, value: Any) -> Any:
    """Return ruamel's tree, changed where the value differs; what others may share is replaced, not changed."""
    if same(before, value):
        return old
    if isinstance(value, dict) and isinstance(before, dict) and _own(old, dict):
        for key in [key for key in old if key not in value]:
            del old[key]
        for key in value:
            old[_fresh(key)] = _changed(old[key], before.get(key), value[key]) if key in old else _fresh(value[key])
        return old
    if isinstance(value, list) and isinstance(before, list) and _own(old, list):
        both = min(len(before), len(value))
        old[:] = [_changed(old[i], before[i], value[i]) for i in range(both)] + [_fresh(v) for v in value[both:]]
        return old
    return _fresh(value)


def _own(old: Any, kind: type[Any]) -> bool:
    """Say whether a collection is neither shared by aliases nor put together from merged ones."""
    return isinstance(old, kind) and getattr(old.anchor, "value", None) is None and not getattr(old, "merge", None)


def _fresh(value: Any) -> Any:
    """Return a value that ruamel.yaml writes so that every reader takes it for what it is."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if isinstance(value, dict):
        return {_fresh(key): _fresh(value[key]) for key in value}
    if isinstance(value, list):
        return [_fresh(item) for item in value]
    if not isinstance(value, str) or scalars.plain(value):
        return value
    return LiteralScalarString(value) if literal(value, 0) else DoubleQuotedScalarString(value)
