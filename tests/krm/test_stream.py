"""A stream is cut into documents at its separators, wherever YAML lets those stand."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn import krm
from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.documents import documents
from tests.krm.hostile import quoted, value
from tests.krm.test_slices import told

# What helm sends to a post-renderer, in short.
HELM = """# a comment from the template
apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    postrenderer.helm.sh/postrender-filename: 'demo/templates/app.yaml'
---
{kind: Job, metadata: {name: migrate, annotations: {"helm.sh/hook": pre-install}}}
"""

separators = st.sampled_from(
    ["---\n", "--- # two\n", "---\n# next\n", "---\n---\n", "...\n---\n", "---\r\n", "---\n# only\n---\n", "--- \t\n"]
)


@st.composite
def streams(draw):
    """Hostile documents with every kind of separator between, in front of and behind them."""
    bodies = st.one_of(
        value(-1), quoted('"'), quoted("'"), st.just("a: b"), st.just("- ...\n- x---"), st.just(" --- a")
    )
    parts = [draw(st.sampled_from(["", "# top\n", "---\n", "# top\n---\n", "\n\n"]))]
    for body in draw(st.lists(bodies, min_size=1, max_size=4)):
        parts += [body.lstrip("\n") + "\n", draw(separators)]
    return "".join(parts[:-1]) + draw(st.sampled_from(["", "---\n", "...\n", "# end\n"]))


def content(text):
    """Return what libyaml tells of each document of a text that is not empty."""
    found, empty = [], ("ScalarEvent", None, None, "", None, None)
    for step in told(text)[1:-1]:
        if step[0] == "DocumentStartEvent":
            found.append([])
        elif step[0] != "DocumentEndEvent":
            found[-1].append(step)
    return [told_of for told_of in found if told_of != [(*empty[:4], "", None)] and told_of != [empty]]


@settings(max_examples=400)
@given(streams())
def test_documents_are_the_documents(text):
    """For every stream that libyaml reads, each document on its own means what it means there, and no byte is lost."""
    try:
        stood = content(text)
    except yaml.YAMLError:
        return
    stream = documents(text.encode())

    assert stood == [told(bytes(stream.slices.raw(n)))[2:-2] for n in range(len(stream.slices))]
    assert text.encode() == b"".join(stream.data[piece.begin : piece.stop] for piece in stream.pieces)


def test_documents_leave_separators_and_terminators_outside():
    """A document is what lies between the separator's line and the next separator or terminator."""
    stream = documents(b"\xef\xbb\xbf# top\n---\n# of A\nkind: A\n--- # two\nkind: B\n...\n# end\n--- {kind: C}")

    assert [b"# of A\nkind: A\n", b"kind: B\n", b"{kind: C}"] == [bytes(stream.slices.raw(n)) for n in range(3)]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_every_line_break_of_yaml_ends_a_line(newline):
    """A separator begins a line, and YAML knows more line breaks than files have."""
    text = "a: b\n---\nc: d\n".replace("\n", newline).encode()

    assert [{"a": "b"}, {"c": "d"}] == [item.value for item in krm.read_files([("a.yaml", text)]).items]


@pytest.mark.parametrize("text", ["a: b\nc---: d\n", "a: |\n  ---\n  x\n", "# ---\na: ---\n", "---x: a\n---y: b\n"])
def test_dashes_elsewhere_separate_nothing(text):
    """Only dashes that begin a line and end there, or before a blank, separate documents."""
    assert 1 == len(documents(text.encode()).slices)


def test_a_separator_may_stand_where_a_byte_order_mark_would_end():
    """Three bytes in front of a separator are a document, unless they are that mark."""
    assert [2, 1] == [len(documents(text + b"---\na: b\n").slices) for text in (b"a:\n", b"\xef\xbb\xbf")]


def test_a_stream_passes_through():
    """What a host sends comes back byte for byte, flow documents on lines of their own (trap 14)."""
    package = krm.read(HELM.encode())

    assert HELM.encode() == krm.write_stream(package.items)


def test_streams_end_with_their_last_document():
    """Documents are joined by separators, each ended by a line break, with none in front and none behind."""
    package = krm.read(b"---\nkind: A\n--- {kind: B}\n---\n")

    assert b"kind: A\n---\n{kind: B}\n---\nkind: C\n" == krm.write_stream([*package.items, krm.new({"kind": "C"})])


def test_streams_carry_no_annotations_of_other_hosts():
    """How a list's host keeps track of objects is not applied to the cluster; what the author wrote is."""
    ours = "config.kubernetes.io/local-config: 'true'"
    theirs = "config.kubernetes.io/path: a, internal.config.kubernetes.io/id: '1'"
    metadata = f"metadata: {{annotations: {{{ours}, {theirs}}}}} # c\n"
    package = krm.read(f"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- {metadata}".encode())

    assert f"metadata: {{annotations: {{{ours}}}}} # c\n".encode() == krm.write_stream(package.items)


def test_streams_keep_the_annotations_of_their_host():
    """Kustomize finds the objects of a plugin's stream again by its own annotation."""
    package = krm.read(b"metadata: {annotations: {kustomize.config.k8s.io/id: a}}\n")
    edited = package.items[0].edited({"kind": "A"} | package.items[0].value)

    assert b"kustomize.config.k8s.io/id: a" in krm.write_stream([edited])


def test_an_item_of_a_list_becomes_a_document():
    """Items of a ResourceList can be written as a stream."""
    package = krm.read(b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- a:\n  - b # c\n- {d: e}\n")

    assert b"a:\n- b # c\n---\n{d: e}\n" == krm.write_stream(package.items)


def test_an_empty_stream_is_never_written():
    """Hosts take nothing for "delete everything" (trap 1)."""
    with pytest.raises(KrmfnError, match="nothing is left to write"):
        krm.write_stream([])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: b\n---\nc: d\ne: [\n", "line 5, column 1"),
        (b"%YAML 1.2\n---\na: b\n", "line 1, column 1: Kubernetes tools refuse % directives; remove the line"),
        (b"a: b\n...\n# c\n%TAG ! x\n---\nc\n", "line 4, column 1: Kubernetes tools refuse % directives"),
        (b"a: b\n---\nc: \xff\n", "line 3, column 4: byte 12 \\(0xff\\) is not UTF-8"),
        (b"a\n---\n" + b"[" * 2000, "line 3, column 201: nests deeper than 200 levels"),
        (b"---\n" * 1_000_001, "up to 1000000 documents"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    """Lines and columns are those of the whole stream, and the file is named."""
    with pytest.raises(KrmfnError, match=message) as info:
        krm.read_files([("b.yaml", text)])
    assert "b.yaml" == info.value.file


def test_yaml_that_is_not_kubernetes_is_read():
    """Only what is no YAML is refused."""
    with pytest.raises(NotYaml):
        krm.read(b"{{ template }}\n{{ more }}")
    assert ["text"] == [item.value for item in krm.read(b"text\n").items]
