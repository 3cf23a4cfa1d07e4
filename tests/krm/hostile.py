"""ResourceLists that look as unlike themselves as YAML allows: dashes and quotes where they mean something else."""

from hypothesis import strategies as st

WORDS = [
    "a", "b: c", "- y", "it's", 'q"q', "kind: Rollout", "  kind: X", "[", "]", "{", "}", ",", "#", " # c", "- ", "-",
    ":", "é", "\\n", "''", '\\"', "|", ">", "&a", "!t", "  ", "...", "---", "items:", "- kind: Fake\n  a: b", "'", '"',
]  # fmt: skip
PLAIN = [
    "v1", "foo-1", "don't", "a'b", 'x"y', "80", "a b 'c", "h:p", "x #y", "true", "~", "1.5 'x", "a[0", "f{g", "é",
    "*ab",
]  # fmt: skip
NOISE = ["'", '"', "\n", "\n- ", "[", "]", "{", " ", "\t", "\u2028", "\x85", "\r", "#", ":", "\n- kind: Z\n  ", "*a "]

words = st.sampled_from(WORDS)
columns = st.sampled_from([0, 0, 0, 1, 2, 2, 3, 4, 6])


def one_of(*choices):
    """Choose a text."""
    return st.sampled_from(choices)


@st.composite
def quoted(draw, quote):
    """A scalar in quotes, whose lines begin at any column with anything."""
    lines = draw(st.lists(st.tuples(columns, st.lists(words, max_size=4)), min_size=1, max_size=4))
    text = "\n".join(" " * column + " ".join(said) for column, said in lines).strip()
    if quote == "'":
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\n", "n").replace("\\", "").replace('"', '\\"') + '"'


@st.composite
def flow(draw, depth=0):
    """A flow collection over several lines."""
    inner = [st.sampled_from(PLAIN), quoted('"'), quoted("'")] + ([flow(depth + 1)] if depth < 2 else [])
    parts = draw(st.lists(st.tuples(one_of("", "", "\n", "k: ", "? "), st.one_of(inner)), max_size=3))
    commas = [draw(one_of(", ", ",", ",\n", " ,\n\n", ", # c'\n")) for _ in parts]
    text = "".join(
        comma * bool(n) + prefix + part for n, (comma, (prefix, part)) in enumerate(zip(commas, parts, strict=True))
    )
    opening, closing = draw(one_of("[]", "{}"))
    return opening + text + draw(one_of("", " ", "\n", "\n- z")) + closing


@st.composite
def block_scalar(draw, column):
    """A block scalar below a collection at a column, full of dashes, keys and quotes."""
    header = draw(one_of("|", "|-", "|+", ">", ">-", "|2", '| # c"', ">+"))
    extra = 2 if header == "|2" else draw(one_of(1, 2, 4))
    text = header
    for said in draw(st.lists(st.lists(words, max_size=3), min_size=1, max_size=4)):
        line = " ".join(said).replace("\n", " ").strip()
        text += "\n" + (" " * (column + extra) + line if line else "")
    return text + draw(one_of("", "\n", "\n\n", "\n# low 'comment", "\n " + "# c"))


@st.composite
def value(draw, column, depth=0):
    """What stands behind a colon or a dash of a collection at a column."""
    kind = draw(st.integers(0, 9)) if depth < 3 else 0
    if kind <= 2:
        rest = one_of("", "", " # it's", ' # "', f"\n{' ' * (column + 1)}more 'so", f"\n{' ' * (column + 3)}- more")
        return " " + draw(st.sampled_from(PLAIN)) + draw(rest)
    if kind <= 5:
        return " " + draw([quoted('"'), quoted("'"), flow()][kind - 3]) + draw(one_of("", " # c"))
    if kind == 6:
        return " " + draw(one_of("", "!!str ", "&a ", "!t ")) + draw(block_scalar(column))
    if kind == 7:
        return draw(one_of("", " # c '", " &b", " *a"))
    return draw(collection(column, depth, dashes=kind == 8))


@st.composite
def collection(draw, parent, depth, *, dashes):
    """A block sequence or mapping below a collection."""
    column = parent + draw(one_of(0, 2) if dashes else one_of(1, 2, 4))
    text = ""
    for number in range(draw(st.integers(1, 3))):
        key = (
            "-"
            if dashes
            else draw(one_of("k", '"q k"', "'it''s'", "don't", "kind", "? e\n" + " " * column)) + f"{number}:"
        )
        text += (
            "\n" + draw(one_of("", "  # x\n", "\n", '# z "\n')) + " " * column + key + draw(value(column, depth + 1))
        )
    return text


@st.composite
def item(draw, column):
    """One element of the list, its dash at a column."""
    if draw(st.integers(0, 9)) == 0:
        return "-" + draw(value(column))
    inner = "\n" + " " * (column + 2)
    fields = [
        "apiVersion: " + draw(one_of("v1", "apps/v1", '"v1"', "v1 # c")),
        "kind:"
        + draw(one_of(" Rollout", " ConfigMap # k", " 'Rollout'", f" Roll\n{inner}  out", f" |{inner}  Rollout")),
        "metadata:"
        + draw(one_of(f"{inner}  name: n1", " {name: n2}", f"{inner}  labels:{inner}    name: no{inner}  name: n3")),
        "spec:" + draw(value(column + 2)),
    ]
    head = draw(one_of("", "", "# head 'c" + inner, f"# h\n{inner}# z{inner}"))
    return "- " + head + inner.join(draw(st.permutations(fields)))


@st.composite
def resource_lists(draw):
    """A text that is nearly always YAML, and often a ResourceList."""
    column = draw(one_of(0, 0, 2))
    items = draw(st.lists(item(column), min_size=1, max_size=4))
    text = draw(
        one_of("", "# top\n", "---\n", "functionConfig: {a: 'b'}\n", 'functionConfig:\n  data: "x\n    items:\n- a"\n')
    )
    text += "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
    text += draw(one_of("items:\n", "items:\n", "items:\n\n# c '\n", "items: # c\n", '"items":\n', "items: &a\n"))
    between = draw(one_of("\n", "\n\n", "\n# btw\n"))
    text += " " * column + f"{between}{' ' * column}".join(items) + "\n"
    text += draw(
        one_of("", "functionConfig:\n  kind: X\n", "x-y:\n- a\n", "...\n", 'functionConfig: "a\n- b"\n', "\n# end")
    )
    if draw(st.integers(0, 7)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from(NOISE)) + text[at + draw(st.integers(0, 1)) :]
    return text
