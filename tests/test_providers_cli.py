"""``krmfn providers``: what it says is what the scripts say, and the README says the same."""

import json
import re

import pytest
from click.testing import CliRunner

from krmfn.cli.commands import commands
from krmfn.lua import FEATURES, find
from krmfn.report import support
from tests.stories import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- providers -->\n).*?(?=<!-- /providers -->)", re.DOTALL)


def shown(*arguments):
    """What the command writes."""
    done = CliRunner().invoke(commands, ["providers", *arguments], prog_name="krmfn")
    assert (0, "") == (done.exit_code, done.stderr)
    return done.stdout


def test_every_provider_is_a_row():
    """There is a row for each script in the library, named as its folder is, in order."""
    scripts = sorted(path.parent.relative_to(ROOT / "lua").as_posix() for path in (ROOT / "lua").rglob("render.lua"))

    assert scripts == [line.split()[0] for line in shown().partition("\n\n")[0].splitlines()[1:]]
    assert scripts == re.findall(r"^\| `(.*?)` \|", shown("-o", "markdown"), re.MULTILINE)


def test_the_table_fits():
    """The table is at most 120 columns wide, and its columns are aligned."""
    head, *rows = shown().partition("\n\n")[0].splitlines()
    starts = [match.start() for match in re.finditer(r"(?<= )\S", head)]

    assert 120 >= max(map(len, shown().splitlines()))
    assert set() == {row[start - 1] for row in rows for start in starts} - {" "}
    assert " " not in {row[start] for row in rows for start in starts}


def test_the_words_of_a_row():
    """A row says how each part of a request can be compared, and what else can be expressed."""
    row = next(line for line in shown().splitlines() if line.startswith("networking.k8s.io/Ingress/nginx "))

    cells = ["yes", "= ~", "=", "-", "-", "-", "-", "yes", "-", "yes", "-", "-"]
    assert ["networking.k8s.io/Ingress/nginx", *cells] == re.split(r"\s{2,}", row)


def test_no_feature_is_left_out():
    """Every word for what a script can express belongs to a column."""
    columns = [f"{word}.{kind}" if kind else word for word, kinds in support.columns().items() for kind in kinds]

    assert list(FEATURES) == columns


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_shows(feature):
    """A provider that can do one thing has one cell that is not empty."""
    script = find("networking.k8s.io", "Ingress", "nginx").replace(name="a/B", supports=frozenset([feature]))
    row = support.table([script]).splitlines()[1].split()

    assert ("a/B", len(support.columns()) - 1) == (row[0], row.count("-"))


def test_the_document():
    """The document names its version, and each provider by group, kind and class, with the words of its script."""
    document = json.loads(shown("-o", "json"))
    rows = {(row["group"], row["kind"], row["class"]): row["supports"] for row in document["providers"]}

    assert ("krmfn.dev/v1alpha1", "ProviderList") == (document["apiVersion"], document["kind"])
    assert list(FEATURES) == document["features"]
    for (group, kind, variant), supports in rows.items():
        assert supports == [word for word in FEATURES if word in find(group, kind, variant or "").supports]
    assert ("networking.k8s.io", "Ingress", "nginx") in rows


def test_the_core_group_has_no_name():
    """The folder of the core group is called core, and the group is the empty text, as in Kubernetes."""
    script = find("networking.k8s.io", "Ingress", "nginx").replace(name="core/Service")
    (row,) = json.loads(support.document([script]))["providers"]

    assert ("", "Service", None) == (row["group"], row["kind"], row["class"])


def test_the_readme_says_the_same(request):
    """The matrix in the README is the one that the command writes."""
    text, matrix = README.read_text(encoding="utf-8"), f"\n{shown('-o', 'markdown')}\n"
    if request.config.getoption("--bless"):
        README.write_text(BLOCK.sub(lambda _: matrix, text), encoding="utf-8")
        text = README.read_text(encoding="utf-8")

    assert [matrix] == BLOCK.findall(text)


def test_another_form_is_refused():
    """A form that there is not is a mistake on the command line."""
    done = CliRunner().invoke(commands, ["providers", "-o", "yaml"], prog_name="krmfn")

    assert (2, True) == (done.exit_code, "'yaml' is not one of" in done.stderr)
