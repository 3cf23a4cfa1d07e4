"""The door to libyaml: quick, and unnoticed by anyone else who uses PyYAML."""

import subprocess
import sys

import pytest

from krmfn.errors import NotYaml
from krmfn.krm import libyaml

QUICK = "import sys; import krmfn.krm.libyaml as y; y.check('a: 1'); print('yaml.loader' in sys.modules)"
BROKEN = f"import sys; sys.modules['yaml.tokens'] = None; {QUICK[12:]}"
ORDINARY = f"import sys, yaml; {QUICK[12:]}"
AFTERWARDS = """
import krmfn.krm.libyaml, yaml, yaml.scanner
print(yaml.load("a: [1, 2]", yaml.CSafeLoader), yaml.safe_dump({"b": 1}).strip())
try:
    yaml.load("a: [", yaml.CSafeLoader)
except yaml.YAMLError as error:
    print("caught")
"""


def output(code):
    """Run Python in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return done.stdout.split("\n")[0]


@pytest.mark.parametrize(("code", "loader"), [(QUICK, "False"), (ORDINARY, "True"), (BROKEN, "True")])
def test_parser_comes_either_way(code, loader):
    """The parser works without PyYAML's own, after `import yaml`, and where PyYAML is not as expected."""
    assert loader == output(code)


def test_others_get_the_real_package():
    """Whoever imports `yaml` after us gets all of it, and its errors are what the parser raises."""
    assert "{'a': [1, 2]} b: 1" == output(AFTERWARDS)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: [\n", 3, 1),
        ("a: é\n b: 1", 2, 3),
        ("a: é\n\x07", 2, 1),
        (b"a: \xff", 1, 4),
        (memoryview(b"\ta: 1"), 1, 1),
    ],
)
def test_complaints_have_a_place(text, line, column):
    """What is wrong has a line and a column, counted from 1, for characters as for bytes."""
    with pytest.raises(NotYaml) as caught:
        libyaml.check(text)

    assert (line, column) == (caught.value.line, caught.value.column)


def test_complaints_can_be_about_a_part_of_a_file():
    """A text that begins within a file is reported by the lines of that file."""
    with pytest.raises(NotYaml, match="line 42, column 1") as caught:
        libyaml.check("a\n:\n- b", line=41, file="app.yaml")

    assert "app.yaml" == caught.value.file


def test_lone_surrogates_are_no_yaml():
    """A string that UTF-8 cannot hold is an error in our words."""
    with pytest.raises(NotYaml):
        libyaml.check("\ud800")
