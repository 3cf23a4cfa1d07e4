"""A user's script, in a child process that can do no harm.

Lua alone cannot be bounded: a pattern backtracks, or recurses until the stack is gone, inside one C call that no
instruction hook sees. So the script runs in a fork of this process with next to no rights left. It is killed when its
time is up, and what it returns comes back as text. The child never leaves through Python or Lua: no finalizer runs,
nothing is flushed.
"""

import os

from krmfn.lua.room import MEGABYTE, Answer, answer, warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.lua.room import Limits
    from krmfn.lua.script import Script

SLACK = 64 * MEGABYTE  # for what Python itself needs to bring the answer back
STACK = 8 * MEGABYTE
OUTPUT = 17 * MEGABYTE  # room.lua refuses to write more than 16
WHY = {11: ", most likely in a pattern too complex or a recursion too deep"}


class _Died(Exception):
    """The child gave no answer; the message says why."""


def boxed(script: "Script", text: bytes, like: str, limits: "Limits") -> Answer:
    """Run a script in a child process. Never raises for what a script does."""
    if not hasattr(os, "fork"):
        return Answer(b"error", b"is not one of ours, and this system cannot run it in a process of its own")
    warm()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _live(script, text, like, limits, writer)
    os.close(writer)
    try:
        said = _listen(reader, limits)
    except _Died as death:
        said = b"error\n\n" + str(death).encode()
    finally:
        os.close(reader)
        status = _end(child)
    if not said:
        signal = status & 0x7F
        how = f"died (signal {signal}){WHY.get(signal, '')}" if signal else "died without a word"
        said = b"error\n\n" + how.encode()
    kind, field, payload = said.split(b"\n", 2)
    return Answer(kind, payload, field)


def _live(script: "Script", text: bytes, like: str, limits: "Limits", writer: int) -> None:
    """Be the child: give up every right, run, answer, and be gone."""
    try:
        _drop_rights(writer, limits)
        said = answer(script, text, like, limits)
        rest = b"\n".join((said.status, said.field.replace(b"\n", b" "), said.text))
        while rest:
            rest = rest[os.write(writer, rest) :]
    finally:
        os._exit(0)


def _drop_rights(writer: int, limits: "Limits") -> None:
    import faulthandler
    import resource

    faulthandler.disable()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    for number in set(_open_files()) - {0, 1, 2, writer}:
        try:
            os.close(number)
        except OSError:  # it was open only to list those that are
            continue
    cpu = int(limits.wall) + 2
    bounds = {"CPU": cpu, "FSIZE": 0, "CORE": 0, "NPROC": 0, "NOFILE": 0, "STACK": STACK}
    if size := _own_size():
        bounds["AS"] = size + limits.memory * MEGABYTE + SLACK
    for name, bound in bounds.items():
        kind = getattr(resource, "RLIMIT_" + name)
        most = resource.getrlimit(kind)[1]
        allowed = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(kind, (allowed, allowed))


def _open_files() -> "list[int]":
    try:
        return [int(number) for number in os.listdir("/proc/self/fd")]
    except OSError:
        return list(range(1024))


def _own_size() -> int:
    """Return the bytes of address space of this process, 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _listen(reader: int, limits: "Limits") -> bytes:
    import select
    import time

    poll, end, said = select.poll(), time.monotonic() + limits.wall, bytearray()
    poll.register(reader, select.POLLIN)
    while len(said) <= OUTPUT:
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            message = f"ran longer than {limits.wall:g} s"
            raise _Died(message)
        chunk = os.read(reader, MEGABYTE)
        if not chunk:
            return bytes(said)
        said += chunk
    raise _Died("returned too much")


def _end(child: int) -> int:
    """Kill the child, which has nothing more to say, and return how it ended by itself if it did."""
    try:
        os.kill(child, 9)
        return os.waitpid(child, 0)[1]
    except (ProcessLookupError, ChildProcessError):
        return 0
