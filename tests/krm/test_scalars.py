"""Scalars mean to us what they mean to the API server, and to everyone what they mean to us."""

import io
import json
import subprocess

import pytest
import ruamel.yaml
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.errors import NotYaml
from krmfn.krm import dump, load, same, scalars
from tests.krm.styled import TRAPS

OBJECT = "apiVersion: example.com/v1\nkind: Trap\nmetadata: {name: trap}\nspec:\n"
texts = st.sampled_from(TRAPS) | st.text().filter(lambda s: not any(0xD800 <= ord(c) < 0xE000 for c in s))

# What people write plain and what it turns out to be; every line was put to kubectl.
READ = {
    **dict.fromkeys(("yes", "on", "y", "Y", "True", "YES"), True),
    **dict.fromkeys(("NO", "n", "Off", "FALSE", "no"), False),
    **dict.fromkeys(("~", "null", "Null", ""), None),
    **dict.fromkeys(("nULL", "tRUE", "oFF", "=", "<<", "_1", "0o8", "0x", "1e", "+", "0o-7", "0x1p-2", "1,000", "..")),
    "0777": 511, "0o14": 12, "0O14": 12, "08": 8, "-08": -8, "0b11": 3, "-0b11": -3, "0B11": 3, "0b2": None,
    "0_7": 7, "07_7": 63, "1_000": 1000, "1_": 1, "1__0": 10, "0x_1F": 31, "0X1F": 31, "-0x1F": -31, "+1": 1, "-0": 0,
    "1e3": 1000, "1E5": 100000, "1.e3": 1000, "12e03": 12000, "1.5e-3": 0.0015, ".5": 0.5, ".5_0": 0.5, "+.5": 0.5,
    "20.0": 20, "1_2.5": 12.5, "0.1e1_0": 1000000000, "1e400": None, "1:20": None, "12:30:45": None, "1.2.3": None,
    "2001-01-01": None, "2001-01-01T00:00:00Z": None, "1e18": 10**18, "1e21": 1e21,
    "9223372036854775808": 2.0**63, "123456789012345678901234567890": 1.2345678901234568e29, "1234e5": 123400000,
    "0xffffffffffffffffffff": None, "01777777777777777777777777": 1777777777777777777777777.0,
}  # fmt: skip
TAGGED = {
    "!!str 1": "1", "!!str": "", "!!str ~": "~", '!!int "3"': 3, '!!int "0x10"': 16, "!!float 1": 1, "!!bool yes": True,
    '!!bool "yes"': True, '!!null ""': None, "!!timestamp 2001-01-01": "2001-01-01", "!foo 12": "12", "! 12": "12",
    '!foo "x"': "x", "!!binary aGVsbG8=": "hello", '!!binary "aGVs\\nbG8="': "hello", "!!binary /w==": "\ufffd",
    '!<tag:yaml.org,2002:int> "7"': 7, "!!foo 12": "12", "!!map {a: 1}": {"a": 1}, "!!omap []": [], "!!value =": "=",
}  # fmt: skip


def meaning(text):
    """Return what a plain scalar means by the table: itself where the table says nothing."""
    return text if READ[text] is None and text not in ("~", "null", "Null", "") else READ[text]


def by_kubectl(kubectl, items):
    """Return what kubectl reads in the items of a list."""
    given = OBJECT + "".join(f"- {item}\n" for item in items)
    command = [kubectl, "annotate", "--local", "-o", "json", "-f", "-", "a=b"]
    done = subprocess.run(command, input=given.encode(), capture_output=True, check=False)

    assert not done.returncode, done.stderr.decode()
    return json.loads(done.stdout, parse_int=lambda digits: float(digits) if len(digits) > 18 else int(digits))["spec"]


@pytest.mark.parametrize("text", READ)
def test_plain_scalars_are_read_as_the_api_server_reads_them(text):
    """A plain scalar is what sigs.k8s.io/yaml makes of it, with the same type."""
    assert same(meaning(text), load(f"a: {text}")["a"])
    assert type(meaning(text)) is type(load(f"a: {text}")["a"])


@pytest.mark.parametrize("text", TAGGED)
def test_tags_are_obeyed_as_the_api_server_obeys_them(text):
    """A tag makes of a scalar what sigs.k8s.io/yaml makes of it."""
    assert same(TAGGED[text], load(f"a: {text}")["a"])


def test_kubectl_agrees(kubectl):
    """What the two tables say is what kubectl says."""
    expected = [*map(meaning, READ), *TAGGED.values()]

    assert expected == by_kubectl(kubectl, [*READ, *TAGGED])


@pytest.mark.parametrize(
    "text", [".inf", "-.INF", ".NaN", "!!int x", "!!bool 1", "!!float true", "!!null x", "!!binary x"]
)
def test_what_json_cannot_hold_is_an_error(text):
    """A scalar that the API server refuses is an error with its place."""
    with pytest.raises(NotYaml, match="line 1, column 4"):
        load(f"a: {text}")


@pytest.mark.parametrize(
    ("key", "name"), [("on", "true"), ("n", "false"), ("1", "1"), ("1.10", "1.1"), ("0x1F", "31"), ("1e3", "1000")]
)
def test_keys_are_strings(key, name):
    """A key that reads as a boolean or number becomes the string that JSON has for it."""
    assert {name: 1} == load(f"{key}: 1")


@pytest.mark.parametrize(
    "text",
    ["nginx", "--flag=x", "-c", "/", "/var/log", "http://x/y?z=1", "100m", "25%", "a b", "it's", "$(VAR)", "k8s.io/a"],
)
def test_ordinary_strings_stay_plain(text):
    """What nobody can misread is written without quotes."""
    assert text == scalars.scalar(text)


@pytest.mark.parametrize(
    "text", ["1e3", "NO", "on", "y", "0o7", "0777", "2001-01-01", "1:20", "1.2.3", "1234e56", "=", "~", ""]
)
def test_what_looks_like_something_else_is_quoted(text):
    """A string that some reader takes for a number, a date, a boolean or null is in double quotes."""
    assert f'"{text}"' == scalars.scalar(text)


@pytest.mark.parametrize(
    ("value", "style", "flow", "text"),
    [
        ("a: b", "", False, "'a: b'"),
        ("it's: x", "", False, "'it''s: x'"),
        ("x", "'", False, "'x'"),
        ("x", '"', False, '"x"'),
        ("a,b", "", False, "a,b"),
        ("a,b", "", True, '"a,b"'),
        ("tab\t", "'", False, '"tab\\t"'),
        ("\x00\x85\u2028\ufeff", "", False, '"\\u0000\\u0085\\u2028\\ufeff"'),
        (20.0, "", False, "20"),
        (1e21, "", False, "1.0e+21"),
        (1e-7, "", False, "1.0e-07"),
        (None, '"', False, "null"),
        (True, '"', False, "true"),
    ],
)
def test_scalars_are_written_for_people(value, style, flow, text):
    """Quotes are the author's where they can be, single ones for odd characters, double ones for escapes."""
    assert text == scalars.scalar(value, style, flow=flow)


@given(st.lists(texts))
def test_any_string_comes_back(strings):
    """Every string written in block or in flow style means itself to us."""
    assert strings == load(dump(strings))
    assert strings == load("[" + ", ".join(scalars.scalar(text, flow=True) for text in strings) + "]")


@settings(max_examples=50)
@given(st.lists(texts))
def test_other_readers_read_the_same(strings):
    """PyYAML (YAML 1.1) and ruamel.yaml (1.2) read the strings we wrote, in block as in flow style."""
    flow = "[" + ", ".join(scalars.scalar(text, flow=True) for text in strings) + "]"

    for text in (dump(strings), flow):
        assert strings == yaml.safe_load(text)
        assert strings == yaml.load(text, yaml.CSafeLoader)
        assert strings == ruamel.yaml.YAML(typ="safe", pure=True).load(io.StringIO(text))


def test_kubernetes_reads_the_same(kubectl):
    """Kubectl reads the strings that look like something else as we wrote them."""
    ways = [(style, flow) for style in ("", "'", '"') for flow in (False, True)]
    items = [scalars.scalar(text, style, flow=flow) for text in TRAPS for style, flow in ways]

    assert [text for text in TRAPS for _ in ways] == by_kubectl(kubectl, items)


def test_kustomize_reads_the_same(kustomize, tmp_path):
    """Kustomize (kyaml) takes and returns what looks like something else, but for three characters it trips over."""
    data = {f"k{n}": text for n, text in enumerate(TRAPS) if not set(text) & set("\x7f\x85\ufeff")}
    trap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trap"}, "data": data}
    patch = '[{"op": "add", "path": "/data/added", "value": "x"}]'
    (tmp_path / "trap.yaml").write_bytes(dump(trap).encode())
    (tmp_path / "kustomization.yaml").write_text(
        dump({"resources": ["trap.yaml"], "patches": [{"target": {"kind": "ConfigMap"}, "patch": patch}]})
    )
    done = subprocess.run([kustomize, "build", tmp_path], capture_output=True, check=True)

    assert {**trap, "data": {**data, "added": "x"}} == load(done.stdout.decode())


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_no_number_is_not_written(number):
    """Infinity and not-a-number are refused when writing, too."""
    with pytest.raises(ValueError, match="not a number that JSON can hold"):
        scalars.scalar(number)
