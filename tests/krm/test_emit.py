"""New text: kyaml's canonical style, always the same, and exact."""

import pytest
from hypothesis import given

from krmfn.krm import dump, emit, load, same
from tests.krm.styled import values

VALUE = {
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {}, "finalizers": []},
    "spec": {
        "replicas": 3,
        "containers": [{"name": "a", "args": ["-c", "set -e\nrun\n", "no"], "env": [{"name": "X", "value": "1"}]}],
        "matrix": [[1, [2]], [], {}],
        "empty": None,
        "script": "#!/bin/sh\n\n\texec x",
    },
}
CANONICAL = """\
kind: Deployment
metadata:
  name: web
  labels: {}
  finalizers: []
spec:
  replicas: 3
  containers:
  - name: a
    args:
    - -c
    - |
      set -e
      run
    - "no"
    env:
    - name: X
      value: "1"
  matrix:
  - - 1
    - - 2
  - []
  - {}
  empty: null
  script: |-
    #!/bin/sh

    \texec x
"""
FOUR_WIDE = """\
a:
    b:
        - c: 1
          d:
              - e
"""


def test_style_is_kyaml_s():
    """Two spaces, lists below their key without more of them, keys in their order, literal blocks for lines."""
    assert CANONICAL == dump(VALUE)


def test_style_can_be_the_author_s():
    """Mappings and lists can be indented as deep as those around them."""
    assert FOUR_WIDE == emit.lines({"a": {"b": [{"c": 1, "d": ["e"]}]}}, 0, emit.Style(4, 4)) + "\n"


@given(values)
def test_every_value_comes_back(value):
    """What was written means the value, in block style and as JSON-like flow."""
    assert same(value, load(dump(value)))
    assert same(value, load(emit.flow(value)))
    assert same(value, load(emit.flow(value, json=True)))


@given(values)
def test_writing_is_deterministic(value):
    """A value has one text, and reading that text and writing it again gives the same."""
    assert dump(value) == dump(load(dump(value)))


@pytest.mark.parametrize("text", ["x\n\n", "x \ny", "\n", "x\r\ny\n", "x\n \n", "a\x07\nb\n", "x\n\u2028\n"])
def test_lines_that_would_be_lost_are_escaped(text):
    """A string that a literal block, an editor or kyaml would not keep is written in double quotes."""
    assert dump({"a": text}).startswith('a: "')
    assert {"a": text} == load(dump({"a": text}))


@pytest.mark.parametrize("text", [" x\ny\n", "\nx", "\tx\ny", "x\n  y\n\nz\n", "# x\n--- y\n...\n", "x: |\n  y\n"])
def test_other_lines_are_literal(text):
    """Lines are readable wherever a literal block is exact, with an indicator where the first one is indented."""
    assert dump([{"a": text}]).startswith("- a: |")
    assert [{"a": text}] == load(dump([{"a": text}]))


def test_text_moves_as_a_whole():
    """Shifting keeps empty lines empty, and stops at the left edge."""
    assert "  a:\n\n   b\r\n\r\n  # c" == emit.shifted("a:\n\n b\r\n\r\n# c", 2)
    assert "a:\n\nb\n# c" == emit.shifted("   a:\n\n  b\n# c", -3)
