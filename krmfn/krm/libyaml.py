"""The door to libyaml: PyYAML's C parser without the rest of PyYAML.

Two libraries read YAML here, each for what only it can do. **libyaml** (inside PyYAML's C extension) is the judge of
what is YAML, since the Go parser of Kubernetes is a port of it; it is fast, and it tells where everything stands in the
text, which is all that surgical edits need. **ruamel.yaml** (`krmfn.krm.roundtrip`, imported only when needed) rewrites
the few documents that cannot be edited that way. Neither reads values: `krmfn.krm.scalars` does, as Kubernetes does.

``import yaml`` takes twice as long as starting Python does, and nearly all of that is a second parser, in Python. The C
extension only asks its parent package for some exception classes, so it is given a parent that has just those and turns
into the real package as soon as anyone asks for more.
"""

from __future__ import annotations

import sys

from krmfn.errors import NotYaml
from krmfn.standin import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_ASKED_FOR = ("Scanner", "Parser", "Composer", "Constructor", "Emitter", "Serializer", "Representer")


def _light() -> ModuleType:
    """Import the C extension under a stand-in for its parent."""
    package = stand_in("yaml")
    import yaml.events
    import yaml.nodes
    import yaml.tokens  # noqa: F401 - the C extension asks the package for it
    from yaml.error import MarkedYAMLError, YAMLError

    class ReaderError(YAMLError):
        """Bytes that cannot be in YAML; the fields are PyYAML's."""

        def __init__(self, name: str, position: int, character: object, encoding: str, reason: str) -> None:
            """Keep what the C extension hands over."""
            self.name, self.position, self.character = name, position, character
            self.encoding, self.reason = encoding, reason

    package.reader = type("reader", (), {"ReaderError": ReaderError})
    for part in _ASKED_FOR:
        error = type(f"{part}Error", (MarkedYAMLError,), {})
        setattr(package, part.lower(), type(part, (), {error.__name__: error}))
    return _ordinary()


def _ordinary() -> ModuleType:
    """Import the C extension under whatever ``yaml`` is; ``from yaml import …`` would ask a stand-in for the name."""
    import yaml._yaml  # noqa: F401 - the name would be the package's

    return sys.modules["yaml._yaml"]


def extension() -> ModuleType:
    """Import PyYAML's C extension, the quick way or, should PyYAML have changed inside, the ordinary one."""
    if "yaml" in sys.modules:
        return _ordinary()
    try:
        return _light()
    except Exception:  # noqa: BLE001 - whatever went wrong in PyYAML's inside, the ordinary way decides
        for name in [m for m in sys.modules if m == "yaml" or m.startswith("yaml.")]:
            del sys.modules[name]
        return _ordinary()


CParser: Any = extension().CParser
events: Any = sys.modules["yaml.events"]
YAMLError: type[Exception] = sys.modules["yaml.error"].YAMLError


def check(text: str | bytes | memoryview, *, line: int = 1, file: str = "") -> None:
    """Raise NotYaml unless libyaml accepts the text; nothing is built, so this runs at 50 MB/s.

    ``line`` is the number of the text's first line in ``file``, for the message.
    """
    data = bytes(text) if isinstance(text, memoryview) else text
    try:
        CParser(data).raw_parse()
    except (YAMLError, UnicodeEncodeError) as error:
        raise not_yaml(error, data, line=line, file=file) from None


def not_yaml(error: Exception, text: str | bytes, *, line: int = 1, file: str = "") -> NotYaml:
    """Translate libyaml's complaint about ``text``; ``line`` is the number of its first line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        said = getattr(error, "problem", None) or getattr(error, "context", None) or "not YAML"
        return NotYaml(said, line=line + mark.line, column=mark.column + 1, file=file)
    position = getattr(error, "position", None)
    if position is None:
        return NotYaml(getattr(error, "reason", "") or "not YAML", file=file)
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    before = data[:position].decode("utf-8", "replace")
    column = len(before) - before.rfind("\n")
    return NotYaml(_unreadable(error), line=line + before.count("\n"), column=column, file=file)


def _unreadable(error: Any) -> str:
    """Say which character it is that YAML cannot hold."""
    code = error.character
    return f"{error.reason} (U+{code:04X})" if isinstance(code, int) else str(error.reason)
