"""Whatever a manifest or a stage says, a provider answers with manifests or in words that name a field."""

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import render
from krmfn.lua.cases import cases, full
from krmfn.lua.room import library
from krmfn.results import errors
from tests.odd import TEXT, changed
from tests.routers.plans import stages

SCRIPTS = {}
for _case in cases(library()):
    SCRIPTS.setdefault(_case.script.name, []).append(_case)

PATTERNS = ("a)|(b", "(?:a", "[", "[^]a]", "\\", "\\Qa", "(a|b)+", "^a$", ".*", "[[:alpha:]]", "a{1,2}")
VALUE = st.one_of(TEXT, st.sampled_from(PATTERNS))
CHANGES = st.lists(st.fixed_dictionaries({"name": st.one_of(st.just("x"), TEXT), "value": TEXT}), max_size=2)


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
