"""One Lua state: the room in which one script runs once.

Kubernetes objects cross as JSON text, so no Python object is ever seen by Lua. What a script finds in its room is in
``room.lua``, what survives the crossing in ``json.lua``. No script sees another, and a user's none that ran before; one
of ours runs again in its own room, where it cannot leave anything behind: it is loaded anew, and has no globals.
"""

import _collections_abc
import os
import sys

from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.krm import Ref
from krmfn.lua.crossing import decode, encode
from krmfn.lua.shape import check
from krmfn.standin import lend, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.lua.script import Script

MEGABYTE = 1 << 20
LONGEST = 300  # characters of a message
LONG = 100_000  # bytes of a text that gets a room of its own
_SOURCES: "dict[str, bytes]" = {}
_ROOMS: "dict[tuple[str, Limits], Any]" = {}
HERE = os.path.dirname(os.path.abspath(__file__))


class Limits(Value):
    """How much a script may use: seconds of wall clock, megabytes of memory, instructions."""

    wall: float = 1.0
    memory: int = 64
    instructions: int = 200_000_000


STANDARD = Limits()


class Answer(Value):
    """How a script ended: ``status`` is ok (``text`` is JSON), fail (``field`` is set) or error; all bytes from Lua."""

    status: bytes
    text: bytes
    field: bytes = b""


def library() -> str:
    """Return the directory of the built-in providers: in a wheel beside this package, in a checkout above it."""
    package = os.path.dirname(HERE)
    inside = os.path.join(package, "_lua")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "lua")


def engine() -> "Any":
    """Return the one Lua that has the number model and the grammar of gopher-lua: 5.1.

    What the package itself imports is for those who let it choose a Lua, and what the extension imports is a decorator
    and the abstract classes that Python has loaded already: together 2 ms of 25.
    """
    if "lupa.lua51" not in sys.modules:
        sys.modules.setdefault("collections.abc", _collections_abc)
        take_back = lend("functools", wraps=lambda _: lambda wrapper: wrapper)
        try:
            _extension()
        except (AttributeError, ImportError):
            take_back()
            _extension()
        finally:
            take_back()
    return sys.modules["lupa.lua51"]


def _extension() -> None:
    if "lupa" not in sys.modules:
        stand_in("lupa")
    import lupa.lua51  # noqa: F401 - the name would be the package's


def answer(script: "Script", text: bytes | None, like: str = "", limits: Limits = STANDARD) -> Answer:
    """Run a script. Never raises for what a script does.

    This Lua fails where no memory is left, whatever of it nobody uses any more, and ends the whole process where a text
    has no room. So what earlier runs have left must not be the end of this one, and a long text gets a room of its own.
    """
    long, known = len(text or b""), (script.source, limits) in _ROOMS
    if long > limits.memory * MEGABYTE // 4:
        return Answer(b"error", b"not enough memory")
    said = _answer(script, text, like, limits)
    if said.status == b"error" and said.text.startswith(b"not enough memory"):
        _ROOMS.clear()
        said = _answer(script, text, like, limits) if known and long <= LONG else said
        _ROOMS.clear()
    return said


def _answer(script: "Script", text: bytes | None, like: str, limits: Limits) -> Answer:
    lua = engine()
    try:
        own = not script.trusted or len(text or b"") > LONG
        run = _state(lua, script, limits) if own else _room(lua, script, limits)
        return Answer(*run(script.source.encode(), text, like.encode()))
    except (lua.LuaMemoryError, MemoryError):
        return Answer(b"error", b"not enough memory")
    except (lua.LuaError, UnicodeEncodeError) as error:
        return Answer(b"error", str(error).encode(errors="replace"))


def _room(lua: "Any", script: "Script", limits: Limits) -> "Any":
    """Return what runs a script in a room of its own; furnishing one takes 0.5 ms, as long as most runs."""
    if (script.source, limits) not in _ROOMS:
        _ROOMS[script.source, limits] = _state(lua, script, limits)
    return _ROOMS[script.source, limits]


def _state(lua: "Any", script: "Script", limits: Limits) -> "Any":
    state = lua.LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        unpack_returned_tuples=True,
        attribute_filter=_nothing,
        max_memory=limits.memory * MEGABYTE,
    )
    codec = state.execute(_read("json.lua"), name=b"=json")
    return state.execute(
        _read("room.lua"), codec, script.trusted, limits.instructions, library().encode(), name=b"=room"
    )


def _nothing(_object: object, name: object, _setting: object) -> "Any":
    raise AttributeError(name)


def _read(name: str) -> bytes:
    if name not in _SOURCES:
        with open(os.path.join(HERE, name), "rb") as file:
            _SOURCES[name] = file.read()
    return _SOURCES[name]


def warm() -> None:
    """Load all that a child process, which cannot open files, needs."""
    engine()
    for name in ("json.lua", "room.lua"):
        _read(name)


def result(script: "Script", reply: Answer, given: "Any" = None, limits: Limits = STANDARD) -> "Any":
    """Return the JSON value of an answer.

    Raises KrmfnError naming the script, its line, the object ``given`` and the reason.
    """
    ref = ref_of(given) if given else None
    if reply.status == b"ok":
        return _decode(script, reply.text, ref)
    reason = _clean(reply.text)
    if reply.status == b"fail":
        raise KrmfnError(f"{script.name}: {reason}", ref=ref, field=_clean(reply.field))
    message, large = _explain(script, reason, limits), script.trusted and given and _is_large(reason)
    if large:
        message += "; divide the object into smaller ones"
    raise KrmfnError(message, ref=ref, field="spec" if large else "")


def provide(
    script: "Script", given: "dict[str, Any]", stage: "dict[str, Any]", limits: Limits = STANDARD
) -> "list[dict[str, Any]]":
    """Run a provider of ours in this process; as ``krmfn.lua.render``."""
    check(script.reads, given, ref_of(given))
    made = result(script, answer(script, encode({"given": given, "stage": stage}), limits=limits), given, limits)
    if not isinstance(made, list) or not all(isinstance(item, dict) and item.get("kind") for item in made):
        message = f"{script.name}: must return a list of manifests"
        raise KrmfnError(message, ref=ref_of(given))
    return made


def _decode(script: "Script", text: bytes, ref: Ref | None) -> "Any":
    try:
        return decode(text.decode())
    except UnicodeDecodeError:
        message = f"{script.name}: returned text that is not UTF-8"
        raise KrmfnError(message, ref=ref) from None


def _explain(script: "Script", reason: str, limits: Limits) -> str:
    import re

    place = re.match(r"(script|lib/[a-z]+):(\d+): (.*)", reason)
    name, reason = script.name, place[3] if place else reason
    if reason.startswith("not enough memory"):
        reason = f"needed more than {limits.memory} MB of memory"
    if place:
        name = f"{name}, line {place[2]}" if place[1] == "script" else f"{name}, in {place[1]}.lua, line {place[2]}"
    return f"{name}: {reason}"


def _is_large(reason: str) -> bool:
    return "not enough memory" in reason or "used more than" in reason


def _clean(text: bytes) -> str:
    """Return a message fit for one line of a terminal or a log, whatever a script put into it."""
    shown = "".join(c if c.isprintable() else " " for c in text.decode(errors="replace"))
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"


def ref_of(given: "dict[str, Any]") -> Ref:
    """Return which object a manifest is; "" for what it does not say."""
    meta = given.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    return Ref(
        str(given.get("apiVersion", "")),
        str(given.get("kind", "")),
        str(meta.get("namespace") or ""),
        str(meta.get("name", "")),
    )
