"""What a Lua table cannot hold is the same after the crossing."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import load, render
from krmfn.lua.room import Limits

ROOT = Path(__file__).parent.parent.parent

STAGE = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary", "matches": [], "neutral": False}

names = st.text(max_size=8)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


def ours(body, **extra):
    """Run the body of a render function of ours on a manifest whose spec is ``extra``."""
    script = load("ours", "return { supports = {}, render = function(given, stage)\n" + body + "\nend }")
    given = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "web"}, **extra}
    return render(script, given, STAGE)[0]


def text(value):
    """Tell what ``==`` does not: the order of keys, 1 from True, [] from {}."""
    return json.dumps(value)


@drawn(values)
def test_untouched(spec):
    """Whatever JSON value goes in and is not touched comes out as it was, but for 20.0, which is 20."""
    made = ours("return { given }", spec=spec)["spec"]
    assert text(made) == text(whole(spec))


@drawn(values)
def test_copied(spec):
    """A copy is worth as much as the original."""
    made = ours("return { copy(given) }", spec=spec)["spec"]
    assert text(made) == text(whole(spec))


def whole(value):
    """Return a value as JSON: a float without a fraction is an integer as long as that is exact."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


@pytest.mark.parametrize(
    ("given", "body", "expected"),
    [
        ({"tls": [], "labels": {}}, "", {"tls": [], "labels": {}}),
        ({"tls": [1]}, "given.spec.tls[1] = nil", {"tls": []}),
        ({"tls": {"a": 1}}, "given.spec.tls.a = nil", {"tls": {}}),
        ({"tls": [1]}, "given.spec.tls = {}", {"tls": []}),
        ({"tls": {"a": 1}}, "given.spec.tls = {}", {"tls": {}}),
        ({"tls": []}, "given.spec.rules = given.spec.tls; given.spec.tls = nil", {"rules": []}),
        ({}, "given.spec.rules = list{}; given.spec.labels = {}", {"labels": {}, "rules": []}),
        ({"x": {}}, "given.spec.x[1] = 'a'", {"x": ["a"]}),
    ],
)
def test_empty_lists_and_maps(given, body, expected):
    """An empty list stays a list and an empty map a map, also when moved, emptied or replaced."""
    assert text(ours(body + " return { given }", spec=given)["spec"]) == text(expected)


@pytest.mark.parametrize(
    ("given", "body", "expected"),
    [
        ({"a": None, "b": 1}, "given.spec.b = 2", {"a": None, "b": 2}),
        ({"a": None}, "given.spec.a = 2", {"a": 2}),
        ({"a": [None, 1, None]}, "", {"a": [None, 1, None]}),
        ({"a": [None]}, "", {"a": [None]}),
        ({"a": {"b": None}}, "given.spec.c = given.spec.a; given.spec.a = nil", {"c": {"b": None}}),
    ],
)
def test_null(given, body, expected):
    """Null stays where it was until a script writes there."""
    assert text(ours(body + " return { given }", spec=given)["spec"]) == text(expected)


@pytest.mark.parametrize(
    ("given", "body", "expected"),
    [
        (2**53 + 1, "", 2**53 + 1),
        (-(2**63), "", -(2**63)),
        (10**30 + 7, "", 10**30 + 7),
        ([2**53 + 1], "given.spec = { given.spec[1], 1 }", [2**53 + 1, 1]),
        ([2**53, 2**53 + 1], "", [2**53, 2**53 + 1]),
        (20.0, "", 20),
        (0.1, "", 0.1),
        (1e300, "", 1e300),
        (5, "given.spec = given.spec / 2", 2.5),
        (7, "given.spec = math.floor(given.spec / 2)", 3),
        (-0.0, "", 0),
    ],
)
def test_numbers(given, body, expected):
    """Integers keep every digit, also beyond 2^53, and come back as integers."""
    made = ours(body + " return { given }", spec=given)["spec"]
    assert text(made) == text(expected)


def test_numbers_that_lua_confuses():
    """A number that was moved and cannot be told from another one any more is refused rather than changed."""
    with pytest.raises(KrmfnError, match=r"cannot tell from another one \(at 0.spec.c\)"):
        ours("given.spec.c = given.spec.a return { given }", spec={"a": 2**53, "b": 2**53 + 1})


@pytest.mark.parametrize("number", ["0/0", "1/0", "-1/0", "math.huge"])
def test_numbers_that_are_none(number):
    """What JSON has no number for is refused, with its place."""
    with pytest.raises(KrmfnError, match=r"not finite \(at 0.spec.weight\)"):
        ours(f"given.spec.weight = {number} return {{ given }}", spec={})


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_that_no_manifest_has(number):
    """A number that is not finite does not get as far as Lua."""
    with pytest.raises((KrmfnError, ValueError)):
        ours("return { given }", spec=number)


def test_order():
    """Keys keep the order of the given manifest, wherever their table goes, and new ones follow in their own."""
    body = """
      table.insert(given.spec, 1, { z = 1, m = 2, a = 3 })
      given.spec[2].c, given.spec[2].b = 1, 1
      return { given }
    """
    made = ours(body, spec=[{"y": 1, "x": 2}], status=1)
    assert text(made["spec"]) == '[{"a": 3, "m": 2, "z": 1}, {"y": 1, "x": 2, "b": 1, "c": 1}]'
    assert list(made) == ["apiVersion", "kind", "metadata", "spec", "status"]


def test_order_of_new_manifests():
    """A new manifest has its keys in the order of the given one."""
    body = "return { { spec = {}, metadata = { name = 'b', labels = {} }, kind = 'Thing', apiVersion = 'v2' } }"
    assert list(ours(body)) == ["apiVersion", "kind", "metadata", "spec"]


def test_texts():
    """A text is the same bytes on either side."""
    hard = '\x00\x01\t\r\n"\\/\x7f\u0085\u2028é漢😀\ufeff'
    assert ours("given.spec.n = #given.spec.t return { given }", spec={"t": hard, hard: 1})["spec"] == {
        "t": hard,
        hard: 1,
        "n": len(hard.encode()),
    }


SORTED = """
local seen = {}
for key in pairs({ b = 1, a = 1, [2] = 1, [1] = 1, [true] = 1, c = 1, [10] = 1, B = 1, ["é"] = 1 }) do
  seen[#seen + 1] = tostring(key)
end
local key, t = nil, { z = 1, y = 1, x = 1 }
repeat key = next(t, key) seen[#seen + 1] = tostring(key) until key == nil
given.spec = seen
return { given }
"""


def test_pairs_are_sorted():
    """The order of ``pairs`` and ``next`` is numbers, then texts by their bytes, then booleans."""
    expected = ["1", "2", "10", "B", "a", "b", "c", "é", "true", "x", "y", "z", "nil"]
    assert ours(SORTED)["spec"] == expected


def test_pairs_may_clear():
    """A table may be emptied while ``pairs`` goes through it, and what is gone is not visited."""
    body = "local n = 0 for k in pairs(given.spec) do n = n + 1 given.spec.b = nil end given.spec = n return { given }"
    assert ours(body, spec={"a": 1, "b": 2, "c": 3})["spec"] == 2


def test_same_in_every_process():
    """Two processes with different hash seeds say the same."""
    code = (
        "from tests.lua.test_crossing import SORTED, ours; print(ours(SORTED), ours('return { given }', spec={1: 2}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(said) == 1


def test_no_addresses():
    """Where a table stands in memory cannot be told."""
    body = "given.spec = { tostring({}), tostring(print_), tostring(1e15), tostring(true) } return { given }"
    assert ours("local print_ = function() end " + body)["spec"] == ["table", "function", "1e+15", "true"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("matchType = 1", "ours, line 2: global 'matchType' assigned; use local"),
        ("function helper() end", "ours, line 2: global 'helper' assigned; use local"),
        ("return { undeclared }", "ours, line 2: 'undeclared' is not defined"),
        ("\n\nlocal x = given.spec.a.b", "ours, line 4: attempt to index field 'spec' (a nil value)"),
        ("error('no such route')", "ours, line 2: no such route"),
        ("x = = 1", "ours, line 2: unexpected symbol near '='"),
        ("return given", "ours: must return a list of manifests"),
        ("return { {} }", "ours: must return a list of manifests"),
        ("", "ours: returned nothing, not a table"),
        ("return use 'ingress'.canary(given, {})", "ours, in lib/ingress.lua, line "),
        ("local lib = use 'nothing'", "ours, line 2: there is no lua/lib/nothing.lua"),
        ("local lib = use '../ingress'", "ours, line 2: there is no lua/lib/../ingress.lua"),
        ("while true do end", "ours, line 2: used more than 200 million instructions"),
    ],
)
def test_mistakes_of_ours(body, reason):
    """A mistake in a script of ours names the script, the line and the mistake."""
    with pytest.raises(KrmfnError) as raised:
        ours(body)
    assert raised.value.message.startswith(reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("return 1", "ours: must return { supports = { … }, render = function(manifest, stage) … end }"),
        ("return { supports = {} }", "ours: must return { supports"),
        (
            "return { supports = { 'telepathy' }, render = function() end }",
            "ours: supports telepathy, but the words are weight",
        ),
    ],
)
def test_scripts_that_are_no_providers(source, reason):
    """A script of ours that is no provider says what it lacks when it is found, not when it is needed."""
    with pytest.raises(KrmfnError) as raised:
        load("ours", source)
    assert raised.value.message.startswith(reason)


def test_fail():
    """``fail`` names the field, and the error the object."""
    with pytest.raises(KrmfnError) as raised:
        ours("fail('spec.rules', 'has none')")
    error = raised.value
    assert (error.message, error.field, str(error.ref)) == ("ours: has none", "spec.rules", "Thing web")


def test_depth():
    """What is nested as deep as a manifest may be crosses, and what is nested deeper is refused in words."""
    deep = []
    for _ in range(195):
        deep = [deep]
    assert ours("return { given }", spec=deep)["spec"] == deep
    for _ in range(20):
        deep = [deep]
    with pytest.raises(KrmfnError, match=r"^ours: JSON nested deeper than 210 levels$"):
        ours("return { given }", spec=deep)


def test_no_shared_state():
    """Two scripts, and two runs of one, cannot see each other."""
    leave = "local s = string s.upper = function() return 'spoilt' end given.spec = ('a'):upper() return { given }"
    assert ours(leave)["spec"] == "spoilt"
    assert ours("given.spec = ('a'):upper() return { given }")["spec"] == "A"


def test_given_is_not_changed():
    """What is given is the same afterwards, whatever the script does to its own."""
    given = {"kind": "Thing", "spec": {"a": [1]}}
    script = load("ours", "return { supports = {}, render = function(g) g.spec.a[1] = 2 return { g } end }")
    assert render(script, given, STAGE, Limits())[0]["spec"] == {"a": [2]}
    assert given == {"kind": "Thing", "spec": {"a": [1]}}


def test_start_up():
    """Importing the door does not open it."""
    code = "import sys, krmfn.lua; print({'lupa', 'json', 'typing', 'dataclasses'} & set(sys.modules))"
    # What measures coverage would load all of these by itself.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
