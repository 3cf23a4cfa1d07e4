"""A list that an author wrote, we changed and a person changed again: what the author would have written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krmfn.changes import GONE
from krmfn.merging import merged

WEB = {"match": "/", "to": ["web"]}
DOCS = {"match": "/docs", "to": ["docs"]}
SHOP = {"match": "/shop", "to": ["web"], "retries": 2}
# As a step with a weight leaves such rules, and as one with a header does.
HALF = WEB | {"to": [{"web": 50}, {"web-canary": 50, "name": "web-canary"}]}
SOLD = SHOP | {"to": [{"web": 50}, {"web-canary": 50, "name": "web-canary"}]}
BETA = {"match": "/ beta", "to": ["web-canary"]}


@pytest.mark.parametrize(
    ("base", "wrote", "now", "expected"),
    [
        ([WEB], [WEB], [WEB | {"timeout": 3}], [WEB | {"timeout": 3}]),
        ([DOCS, WEB], [DOCS, HALF], [DOCS | {"timeout": 3}, HALF], [DOCS | {"timeout": 3}, WEB]),
        ([DOCS, WEB], [DOCS, HALF], [HALF], [WEB]),
        ([DOCS, WEB], [DOCS, HALF], [DOCS], [DOCS]),
        ([WEB], [HALF], [HALF | {"timeout": 3}], [WEB | {"timeout": 3}]),
        ([WEB], [HALF], [WEB | {"timeout": 3}], [WEB | {"timeout": 3}]),
        ([SHOP, WEB], [SOLD, HALF], [SOLD | {"retries": 5}, HALF], [SHOP | {"retries": 5}, WEB]),
        ([WEB], [HALF], [DOCS, HALF], [DOCS, WEB]),
        ([WEB], [HALF], [HALF, DOCS], [WEB, DOCS]),
        ([SHOP, WEB], [SOLD, HALF], [SOLD, DOCS, HALF], [SHOP, DOCS, WEB]),
        ([WEB], [BETA, WEB], [BETA, WEB | {"timeout": 3}], [WEB | {"timeout": 3}]),
        ([WEB], [BETA, WEB], [DOCS, BETA, WEB], [DOCS, WEB]),
        ([WEB], [BETA, WEB], [BETA, DOCS, WEB], [DOCS, WEB]),
        ([WEB], [BETA, WEB], [WEB], [WEB]),
        ([WEB], [WEB, BETA], [WEB, BETA, DOCS], [WEB, DOCS]),
        (
            [WEB],
            [BETA | {"type": "Exact"}, WEB],
            [BETA | {"type": "Exact"}, WEB, {"type": "Exact"}],
            [WEB, {"type": "Exact"}],
        ),
    ],
)
def test_what_is_certain_is_the_author_s(base: Any, wrote: Any, now: Any, expected: Any) -> None:
    """Rules and fields that we left alone, new rules and those that were taken out: all go back to the author's."""
    assert merged(base, wrote, now) == expected


@pytest.mark.parametrize(
    ("base", "wrote", "now"),
    [
        ([WEB], [HALF], [HALF, HALF | {"match": "/shop"}]),
        ([SHOP, WEB], [SOLD, HALF], [HALF, SOLD]),
        ([WEB], [BETA, WEB], [BETA | {"timeout": 3}, WEB]),
        ([WEB], [BETA, BETA | {"x": 1}, WEB], [BETA, DOCS, BETA | {"x": 1}, WEB]),
        ([WEB, SHOP], [BETA, WEB, BETA | {"match": "/shop beta"}, SHOP], [WEB, BETA | {"match": "/shop beta"}, SHOP]),
        ([WEB, SHOP], [BETA, HALF, SOLD], [BETA, HALF | {"timeout": 3}, SOLD]),
        ([DOCS], [DOCS, BETA], [DOCS | {"to": ["web-canary"]}, BETA]),
        (["a"], ["b"], ["c"]),
        ({"a": 1}, {"a": 2}, {"a": 3}),
        (GONE, [1], [2]),
    ],
)
def test_what_nobody_can_tell_is_a_clash(base: Any, wrote: Any, now: Any) -> None:
    """What we wrote, an order that is partly ours, and what names something of ours do not become the author's."""
    assert merged(base, wrote, now) is GONE


RULES = st.lists(st.sampled_from((WEB, DOCS, SHOP)), unique_by=lambda rule: rule["match"], max_size=3)


@given(RULES, RULES, st.booleans())
def test_whatever_is_taken_over_is_what_its_author_would_see(base: Any, wanted: Any, half: Any) -> None:
    """An edit either clashes, or becomes rules that have nothing of ours and that our own changes lead back to it."""

    def ours(rules: Any) -> Any:
        halved = {"/": HALF, "/shop": SOLD}
        return [halved.get(rule["match"], rule) if half else rule for rule in rules]

    found = merged(base, ours(base), ours(wanted))
    assert found is GONE or ours(found) == ours(wanted)
