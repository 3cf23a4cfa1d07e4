"""Whatever stands in a package, the answer is manifests or findings that say what is wrong."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn import krm
from krmfn.errors import KrmfnError
from krmfn.moving import Moving
from krmfn.report import telling
from krmfn.report.document import document
from krmfn.report.explanation import explanations
from krmfn.report.markdown import markdown
from krmfn.report.outlook import Prospect, outlooks
from krmfn.report.sequence import sequence
from krmfn.report.table import table
from krmfn.results import errors
from tests.odd import changed
from tests.stories import FIXTURES, Files, config, rendered, story

TOLD = sorted(path.parent for path in FIXTURES.glob("*/*/story.yaml"))
ADOPTED = sorted(path.parent for path in FIXTURES.glob("*/adopt-*/move.yaml"))
POSITIONS = ("0", "1/scale", "1", "2", "promote", "promote+1", "finalise", "complete", "1>0/drain", "2>0/shift")
TARGET = {"patches": [{"patch": "spec: {template: {metadata: {annotations: {version: two}}}}"}]}
FOLDERS = {dialect: [path for path in TOLD if path.parent.name == dialect] for dialect in ("argo", "flagger", "kruise")}
FOLDERS["kubevela"] = [path for path in TOLD if path.parent.name == "kubevela"]


class Plain(yaml.SafeDumper):
    """Writes what is there twice twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML asks of everything
        """Write no anchors."""
        return True


def odd(draw: Any, files: Files) -> Files:
    """Return a package in which one or two objects are not what they should be."""
    documents = [[name, one] for name, data in files.items() for one in yaml.safe_load_all(data) if one]
    for number in draw(st.lists(st.integers(0, len(documents) - 1), min_size=1, max_size=2, unique=True)):
        documents[number][1] = changed(draw, documents[number][1])
    texts: dict[str, str] = {}
    for name, one in documents:
        texts[name] = texts.get(name, "") + "---\n" + yaml.dump(one, Dumper=Plain, sort_keys=False, allow_unicode=True)
    return {name: text.encode() for name, text in texts.items()}


@st.composite
def releases(draw: Any, dialect: str) -> tuple[Files, dict[str, Any]]:
    """Draw a package and what is asked for."""
    told = story(draw(st.sampled_from(FOLDERS[dialect])))
    asked = told.config if {"target", "stable"} & told.config.keys() else told.config | {"target": TARGET}
    mode = draw(st.sampled_from([{}, {}, {"isolation": "track", "adopted": True}, {"isolation": "rename"}]))
    return odd(draw, told.files), asked | mode | {"step": draw(st.sampled_from(POSITIONS))}


@pytest.mark.parametrize("dialect", FOLDERS)
def test_a_package_is_rendered_or_refused(dialect: str) -> None:
    """Nothing is half done: there is an error and no change, or none, and then the same is asked for in vain again."""

    @settings(max_examples=100)
    @given(releases(dialect))
    def run(asked: tuple[Files, dict[str, Any]]) -> None:
        files, spec = asked
        after, outcome = rendered(files, spec)
        assert outcome.failed is any(result.severity == "error" for result in outcome.results)
        if outcome.failed:
            assert not outcome.changes
        else:
            assert rendered(after, spec)[0] == after

    run()


@settings(max_examples=100)
@given(st.data())
def test_reports_are_made_or_refused(data: st.DataObject) -> None:
    """A plan, an explanation and the way from a controller are shown, or it is said why not."""
    dialect = data.draw(st.sampled_from(sorted(FOLDERS)))
    files, spec = data.draw(releases(dialect))
    prospect = Prospect(krm.read_files(files.items()), config(spec), None)
    found, results = outlooks(prospect)
    assert found or results
    assert all(document(found) and markdown(one) and table(one, colour=False) for one in found)
    explained, problems = explanations(prospect)
    assert explained or problems
    assert not explained or all(form(explained) for form in (telling.text, telling.document, telling.markdown))


@settings(max_examples=100)
@given(st.data())
def test_the_way_from_a_controller_is_shown_or_refused(data: st.DataObject) -> None:
    """Each of its commits can be written, or it is said what stands in the way."""
    folder = data.draw(st.sampled_from(ADOPTED))
    files = {path.name: path.read_bytes() for path in folder.glob("*.yaml") if path.name != "move.yaml"}
    package = krm.read_files(odd(data.draw, files).items())
    assert _moves(package, client_side=data.draw(st.booleans()))


def _moves(package: krm.Package, *, client_side: bool) -> bool:
    """Tell whether every commit can be written, or there are words for why not."""
    try:
        moving = Moving(package, config({}), client_side=client_side)
        return bool(sequence(moving)) and all(moving.files(number) for number in range(1, moving.length + 1))
    except KrmfnError as error:
        return all(one.message for one in errors(error))
