"""The bench: that it runs, that it measures what it says, and that what it measures with is a package."""

import io
import sys

import pytest

from krmfn import hosts, krm
from tools.bench import corpus, measure, table
from tools.bench.__main__ import main


def listed(documents, config=""):
    """Return a ResourceList of the corpus, as text."""
    file = io.StringIO()
    corpus.write(file, io.StringIO(), documents, config)
    return file.getvalue()


def rendered(text):
    """Return what the function makes of a ResourceList, once it has had nothing to complain about."""
    written, results, code = hosts.answered(text.encode())
    assert code == 0, [result.line() for result in results]
    return b"".join(bytes(piece) for piece in written).decode()


def test_small_package_is_released():
    """The small package has six objects, and gets its canary, with the new image, and its state."""
    given = listed(corpus.small(), corpus.step())
    now = krm.read(rendered(given).encode())

    assert ["Deployment", "Service", "Ingress", "Rollout", "ConfigMap", "Service"] == [
        item.ref.kind for item in krm.read(given.encode()).items
    ]
    assert {"web-canary", "krmfn-state"} <= {item.ref.name for item in now.items}
    assert f"registry.example.com/web:{corpus.NEW}" in rendered(given)


def test_large_package_is_of_the_size_it_should_be():
    """A package of any size has one rollout, no name twice, and about 1.6 kB for each object."""
    given = listed(corpus.large(300), corpus.step())
    items = krm.read(given.encode()).items

    assert len(items) == 300
    assert len({item.ref.key for item in items}) == 300
    assert ["Rollout"] == [item.ref.kind for item in items if item.ref.kind == "Rollout"]
    assert 1_200 < len(given) / 300 < 2_000
    assert "web-canary" in rendered(given)


def test_many_rollouts_are_all_released():
    """Each rollout of the long list goes from step 0 to step 1 with its new image, and nothing else changes hands."""
    first = rendered(listed(corpus.rollouts(5)))
    second = krm.read(rendered(corpus.onward(first)).encode())

    assert {f"web-{number}-canary" for number in range(5)} == {
        item.ref.name for item in second.items if item.ref.kind == "Deployment" and item.ref.name.endswith("-canary")
    }


def test_corpus_is_the_same_every_time():
    """The same bytes are measured in every run."""
    assert list(corpus.large(50)) == list(corpus.large(50))
    assert list(corpus.rollouts(3)) == list(corpus.rollouts(3))


def test_line_finds_a_line():
    """Points on a straight line are at no distance from it, and a square is far from any."""
    straight = measure.line([(10, 1.2), (100, 3.0), (1000, 21.0)])

    assert (1.0, 0.02) == (pytest.approx(straight.start), pytest.approx(straight.each))
    assert straight.furthest < 1e-9
    assert measure.line([(n, 0.01 + n * n / 1e6) for n in (10, 100, 1000, 10_000)]).furthest > 0.25


def test_ratio_is_that_of_a_typical_round():
    """A round in which the machine was busy does not count for more than any other."""
    mine = measure.Taken(tuple(measure.Run(seconds, 1) for seconds in (2.0, 2.0, 40.0)))
    theirs = measure.Taken(tuple(measure.Run(seconds, 1) for seconds in (1.0, 1.0, 1.0)))

    assert mine.over(theirs) == 2.0


def test_failing_program_is_no_measurement():
    """A program that fails is named, instead of being timed."""
    with pytest.raises(RuntimeError, match="wrong ended with exit code 3"):
        measure.once(measure.Program("wrong", (sys.executable, "-c", "raise SystemExit(3)")))


def test_tables_say_what_is_too_much():
    """Both tables show each figure beside what is allowed, mark what is over it, and say what was not measured."""
    rows = [
        table.Row("start", 2.51, 3, "x", "25 ms / 10 ms"),
        table.Row("memory", 30, 20, " MiB", ""),
        table.Row("host", None, 1, "x", "skipped"),
    ]

    assert ["2.5x", "30 MiB (!)", "not measured"] == [row.cells()[1] for row in rows]
    assert "| start | 2.5x | ≤ 3x | 25 ms / 10 ms |" in table.markdown(rows)
    assert "memory  30 MiB (!)" in table.text(rows)


def test_bench_runs(capsys):
    """The whole bench runs on tiny sizes, without a network, and prints a row for every requirement."""
    tiny = ["--rounds", "1", "--objects", "40", "--scale", "10", "20", "--rollouts", "2", "--skip-slow", "--markdown"]

    assert main(tiny) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]) == 10
