"""Whatever a manifest or a stage says, a provider answers with manifests or in words that name a field."""

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import render
from krmfn.lua.cases import cases, full
from krmfn.lua.room import library
from krmfn.results import errors
from tests.routers.plans import stages

SCRIPTS = {}
for _case in cases(library()):
    SCRIPTS.setdefault(_case.script.name, []).append(_case)

TEXTS = ("", "5", "-1", "null", "{}", '{"a":', "a.b.c", "web", "web-canary", "zoë", "%1", "$1", "a b", 'a"b', "a'b\\")
TEXT = st.one_of(st.sampled_from(TEXTS), st.text(max_size=5))
NUMBER = st.sampled_from([0, 1, -1, 99, 1.5, 2**31, 10**17, True, False])
ODD = st.recursive(
    st.one_of(st.none(), TEXT, NUMBER),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["name", "spec", "weight", "a.b", "é"]), inner, max_size=2),
    ),
    max_leaves=3,
)
PATTERNS = ("a)|(b", "(?:a", "[", "[^]a]", "\\", "\\Qa", "(a|b)+", "^a$", ".*", "[[:alpha:]]", "a{1,2}")
VALUE = st.one_of(TEXT, st.sampled_from(PATTERNS))
CHANGES = st.lists(st.fixed_dictionaries({"name": st.one_of(st.just("x"), TEXT), "value": TEXT}), max_size=2)


IDENTITY = ("kind", "apiVersion")


def places(value, at=()):
    """Yield the path of everything inside a manifest."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*at, key)
        yield from places(inner, (*at, key))


def changed(draw, manifest):
    """Return a manifest in which a few things are not what they were: others, none, more often there, or gone."""
    made = deepcopy(manifest)
    for _ in range(draw(st.integers(0, 2))):
        *way, last = draw(st.sampled_from([at for at in places({"spec": {}} | made) if at[0] not in IDENTITY]))
        made.setdefault("spec", {})
        home = made
        for key in way:
            home = home[key]
        what = draw(st.sampled_from(["odd", "odd", "odd", "gone", "twice", "empty"]))
        if what == "gone":
            del home[last]
        elif what == "twice":
            home[last] = home[last] * 2 if isinstance(home[last], list | str) else [home[last]] * 30
        else:
            home[last] = type(home[last])() if what == "empty" else draw(ODD)
    return made


def problems(script, manifest, stage):
    """Return what is wrong with how a provider answers."""
    before = deepcopy(manifest)
    try:
        made = render(script, manifest, stage)
    except KrmfnError as error:
        return [(one.message, manifest, stage) for one in errors(error) if not (one.field and one.message)]
    assert manifest == before
    return [one for one in made if not one.get("kind")]


def strange(draw, script):
    """Return a stage that a provider supports, in which a few names and values are not what they usually are."""
    stage = draw(stages(script))
    for match in stage["matches"]:
        for one in [each for part in match.values() for each in (part if isinstance(part, list) else [part])]:
            for key in draw(st.sets(st.sampled_from(["name", "value"]))) & one.keys():
                one[key] = draw(VALUE)
    if "headerModifier" in script.supports and draw(st.booleans()):
        stage["headerModifier"] = {
            "set": draw(CHANGES),
            "add": draw(CHANGES),
            "remove": draw(st.lists(TEXT, max_size=1)),
        }
    return stage


@st.composite
def odd(draw):
    """Make a provider, a manifest and a stage."""
    case = draw(st.sampled_from(SCRIPTS[draw(st.sampled_from(sorted(SCRIPTS)))]))
    stage = case.stage
    if draw(st.booleans()):
        names = {key: item for key, item in stage.items() if "ervice" in key or "ubset" in key}
        stage = strange(draw, case.script) | names
    return case.script, changed(draw, case.given), full(stage)


@settings(max_examples=200)
@given(odd())
def test_every_answer_is_manifests_or_names_a_field(asked):
    """Nothing that is wrong ends in a line of Lua: not in the manifest, and not in what is asked of requests."""
    assert problems(*asked) == []


def test_a_manifest_that_is_too_large_is_the_end_of_its_own_run_only():
    """Where Lua has no memory left that is said, and the next manifest is rendered as ever."""
    (case,) = [case for case in SCRIPTS["serving.knative.dev/Service"] if case.path.endswith("/weight.yaml")]
    large = {**case.given, "status": [{"a": f"b{number}"} for number in range(100_000)]}
    stage = full(case.stage)
    said = []
    for manifest in (case.given, large, case.given, {**large, "more": "x" * 20_000_000}, case.given):
        try:
            said.append(render(case.script, manifest, stage) == case.expected)
        except KrmfnError as error:
            said.append(error.message)
    needed = "serving.knative.dev/Service: needed more than 64 MB of memory; divide the object into smaller ones"
    assert said == [True, needed, True, needed, True]
