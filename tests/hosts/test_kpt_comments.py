"""What kpt does to the text of an object that a function has edited: the facts that in-place rendering rests on.

kpt gives every object an id and, for each object that comes back with one, copies comments from the original to what
stands at the same path, lists of maps by position, wherever the result has none; then it puts fields into the order
of the original, new ones last. An object that comes back without ids is written as it is.
"""

import os
import sys

import pytest

from tests.hosts import programs

FUNCTION = """#!{python}
import re, sys
text = sys.stdin.read()
if not {keeps_ids}:
    text = re.sub(r"\\n *(internal\\.config\\.kubernetes\\.io|config\\.k8s\\.io)/id: '[0-9]+'", "", text)
assert {old!r} in text, text
sys.stdout.write(text.replace({old!r}, {new!r}))
"""

GIVEN = """\
# licence
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings # name
data:
  # why
  a: "1" # one
  b: x # two
  list:
  - name: first # 1st
  # about the second
  - name: second # 2nd
"""


@pytest.fixture(name="edited")
def _edited(tmp_path, environment, kpt):
    """``edited(old, new, keeps_ids=..., given=...)``: what kpt makes of a function that replaces ``old`` by ``new``.

    Both are as they stand in the file; on the wire every line is two columns further in.
    """

    def run(old, new, *, keeps_ids, given=GIVEN):
        old, new = (text.replace("\n", "\n  ") for text in (old, new))
        package, places = tmp_path / "package", tmp_path / "bin"
        package.mkdir()
        places.mkdir()
        (package / "f.yaml").write_text(given)
        function = places / "edits"
        function.write_text(FUNCTION.format(python=sys.executable, keeps_ids=keeps_ids, old=old, new=new))
        function.chmod(0o755)
        path = f"{places}{os.pathsep}{environment['PATH']}"
        return programs.kpt_eval(package, "edits", environment={**environment, "PATH": path}), package / "f.yaml"

    return run


# What the function writes, and what kpt makes of it where the object keeps its ids.
EDITS = {
    "value and its comment": ('a: "1" # one', 'a: "2"', 'a: "2" # one'),
    "comment removed": ("# why\n  a", "a", "# why\n  a"),
    "comment changed": ("# one", "# uno", "# uno"),
    "comment added": ("list:\n", "list: # new\n", "list: # new\n"),
    "shorter list": (
        "- name: first # 1st\n  # about the second\n  - name: second # 2nd",
        "- name: second",
        "- name: second # 1st",
    ),
    "field in the middle": ("b: x # two\n", "new: y\n  b: x # two\n", None),
    "order": ('a: "1" # one\n  b: x # two', 'b: x # two\n  a: "1"', 'a: "1" # one\n  # why\n  b: x # two'),
}


@pytest.mark.parametrize(("old", "new", "kept"), EDITS.values(), ids=EDITS)
def test_with_ids_the_original_shines_through(edited, old, new, kept):
    """With ids comments come back to where they stood, in lists by position, and fields are put into the old order."""
    _, path = edited(old, new, keeps_ids=True)

    assert path.read_text() == (GIVEN + "  new: y\n" if kept is None else GIVEN.replace(old, kept))


@pytest.mark.parametrize(("old", "new", "kept"), EDITS.values(), ids=EDITS)
def test_without_ids_the_text_is_kept(edited, old, new, kept):
    """Without ids kpt writes what the function wrote, and warns of nothing."""
    ran, path = edited(old, new, keeps_ids=False)

    assert (ran.code, len(ran.err.splitlines())) == (0, 2)
    assert path.read_text() == GIVEN.replace(old, new)


@pytest.mark.parametrize(("keeps_ids", "code"), [(True, 1), (False, 0)])
def test_other_kinds_of_value_need_no_ids(edited, keeps_ids, code):
    """With ids a map where a scalar was is an error of kpt's, and no file is written; without, it is a map."""
    ran, path = edited("b: x # two", "b: {k: v}", keeps_ids=keeps_ids)

    assert (ran.code, "wrong node kind" in ran.err) == (code, keeps_ids)
    assert path.read_text() == (GIVEN if keeps_ids else GIVEN.replace("b: x # two", "b: {k: v}"))


@pytest.mark.parametrize(("keeps_ids", "head"), [(True, "# licence\n"), (False, "")])
def test_detached_header_never_reaches_the_function(edited, keeps_ids, head):
    """A header above a blank line is not on the wire: only ids bring it back, and then without the blank line."""
    _, path = edited("# two", "# deux", keeps_ids=keeps_ids, given=GIVEN.replace("# licence\n", "# licence\n\n"))

    assert path.read_text() == GIVEN.replace("# licence\n", head).replace("# two", "# deux")


@pytest.mark.parametrize(("keeps_ids", "scalar"), [(True, '"a b"'), (False, ">-\n    a b")])
def test_folded_scalars_are_quoted_by_id(edited, keeps_ids, scalar):
    """With ids every folded scalar becomes a quoted one; without, it stays folded."""
    _, path = edited("# one", "# uno", keeps_ids=keeps_ids, given=GIVEN.replace("b: x # two", "b: >-\n    a\n    b"))

    assert path.read_text() == GIVEN.replace("b: x # two", f"b: {scalar}").replace("# one", "# uno")
