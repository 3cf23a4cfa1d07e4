"""No script harms the process that runs it, and each ends soon, in words."""

import os
import time

import pytest

from krmfn.errors import KrmfnError
from krmfn.lua.box import boxed
from krmfn.lua.room import Limits, encode, result
from krmfn.lua.script import CUSTOM, Script
from tests.lua.attacks import ATTACKS

SOON = Limits(wall=0.8, instructions=20_000_000)
LATE = "ran longer than 0.8 s"  # what a busy machine may say of any script that takes its time
OBJ = {"data": {"spec": {"a": 1}, "labels": {}}, "canaryWeight": 5}


def ended(source, limits=SOON):
    """Return the message that a script ends in, or its result."""
    script = Script("their script", source, frozenset(), trusted=False, shape=CUSTOM)
    try:
        return result(script, boxed(script, encode(OBJ), "data", limits), {}, limits)
    except KrmfnError as error:
        return error.message


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name, tmp_path, monkeypatch, capfd):
    """A hostile script ends within its time in a reason or a harmless result; no output, file or process is left."""
    monkeypatch.chdir(tmp_path)
    source, outcome = ATTACKS[name]
    before = time.monotonic()
    end = ended(source)
    assert time.monotonic() - before < 2
    if isinstance(outcome, str):
        assert isinstance(end, str)
        assert end.startswith("their script")
        assert outcome in end or end.endswith(LATE)
        assert len(end) < 400
        assert end.isprintable()
    else:
        assert end == outcome
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_open_files():
    """A run leaves no file open."""
    before = os.listdir("/proc/self/fd")
    ended("return {a=1}")
    ended("while true do end")
    assert os.listdir("/proc/self/fd") == before


def test_memory_of_the_parent_is_not_the_childs_to_spend():
    """What this process needs itself does not count as a script's memory."""
    ballast = bytearray(200 << 20)
    assert ended("return {a=1}") == {"a": 1}
    del ballast


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_wall_clock(seconds):
    """A script that no instruction hook can stop is stopped by the clock, which says how long it was given."""
    end = ended(ATTACKS["catastrophic pattern"][0], Limits(wall=seconds))
    assert end == f"their script: ran longer than {seconds:g} s"
