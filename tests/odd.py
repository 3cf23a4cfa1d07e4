"""What stands in a manifest by mistake: other values, none, more often than once, or gone."""

from copy import deepcopy

from hypothesis import strategies as st

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
