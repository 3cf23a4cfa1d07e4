"""Every provider keeps its promises, and is found by the name of what it routes."""

from pathlib import Path

import pytest

from krmfn.errors import KrmfnError
from krmfn.lua import find, from_config, render
from krmfn.lua.cases import cases, full, scripts
from krmfn.lua.room import library

ROOT = Path(__file__).parent.parent.parent
LUA = ROOT / "lua"
CASES = list(cases(str(LUA)))


def label(case):
    """Name a case by its place."""
    return Path(case.path).relative_to(LUA).as_posix()


@pytest.mark.parametrize("case", CASES, ids=label)
def test_case(case):
    """The script does what the case promises."""
    assert case.problem() == ""


@pytest.mark.parametrize("path", list(scripts(str(LUA))))
def test_every_script_has_cases(path):
    """A script has cases for each word that it supports, for neutral, and for lists and maps that are empty."""
    home = Path(path).parent
    own = [case for case in CASES if Path(case.path).is_relative_to(home)]
    assert any(case.stage.get("neutral") for case in own)
    assert any("tls: []" in Path(case.path).read_text() or ": []" in Path(case.path).read_text() for case in own)
    assert any(": {}" in Path(case.path).read_text() for case in own)
    assert all(case.promise and "\n" not in case.promise.strip() for case in own)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_stable_is_not_touched(case):
    """What is given is never changed."""
    before = repr(case.given)
    case.problem()
    assert repr(case.given) == before


def test_find():
    """A provider is found by group, kind and class, also under the group that its kind has left."""
    script = find("networking.k8s.io", "Ingress", "nginx")
    assert script is not None
    assert script == find("extensions", "Ingress", "nginx")
    assert find("traefik.io", "TraefikService") == find("traefik.containo.us", "TraefikService")
    assert (script.name, script.trusted, script.shape) == ("networking.k8s.io/Ingress/nginx", True, "provider")
    assert script.supports == {
        "weight",
        "header.exact",
        "header.regex",
        "cookie.exact",
        "matches.many",
        "weight+matches",
    }


@pytest.mark.parametrize(
    ("group", "kind", "variant"),
    [
        ("networking.k8s.io", "Ingress", "unheard-of"),
        ("networking.k8s.io", "Ingress", "../Ingress/nginx"),
        ("networking.k8s.io", "Ingress", "nginx/../nginx"),
        ("networking.k8s.io", "Ingress", "."),
        ("networking.k8s.io", "Ingress", ".."),
        ("networking.k8s.io", "Ingress", "nginx\0"),
        ("networking.k8s.io", "Ingress", "nginx\n"),
        ("..", "lua", "networking.k8s.io/Ingress/nginx"),
        ("/etc", "Ingress", ""),
        ("networking.k8s.io", "", "nginx"),
        ("", "Ingress", "nginx"),
        ("", "Service", ""),
    ],
)
def test_find_nothing(group, kind, variant):
    """What is not the name of a provider is not looked for anywhere else."""
    assert find(group, kind, variant) is None


def test_library():
    """The library is in the package where it was installed with it, and beside the package in a checkout."""
    assert Path(library()) == LUA


@pytest.mark.parametrize(
    ("key", "group", "kind", "variant", "shape"),
    [
        ("lua.traffic.routing.ingress.nginx", "networking.k8s.io", "Ingress", "", "ingress"),
        ("lua.traffic.routing.ingress.nginx", "networking.k8s.io", "Ingress", "nginx", "ingress"),
        ("lua.traffic.routing.ingress.aliyun-alb", "networking.k8s.io", "Ingress", "aliyun-alb", "ingress"),
        ("lua.traffic.routing.Ingress.networking.k8s.io", "networking.k8s.io", "Ingress", "mse", "custom"),
        (
            "lua.traffic.routing.VirtualService.networking.istio.io",
            "networking.istio.io",
            "VirtualService",
            "",
            "custom",
        ),
        ("lua.traffic.routing.Service.v1", "", "Service", "", "custom"),
    ],
)
def test_from_config(key, group, kind, variant, shape):
    """A ConfigMap's script is found by Kruise's keys."""
    script = from_config({"other": "", key: "return {}"}, group, kind, variant)
    assert (script.name, script.source, script.trusted, script.shape) == (key, "return {}", False, shape)
    assert from_config({"lua.traffic.routing.ingress.other": ""}, group, kind, variant) is None


def test_script_without_case(tmp_path):
    """A script that promises nothing is not accepted."""
    (tmp_path / "render.lua").write_text("return { supports = {}, render = function() return {} end }")
    with pytest.raises(KrmfnError, match="has no case"):
        list(cases(str(tmp_path)))


def test_case_that_is_not_one(tmp_path):
    """A case with a misspelt member names it."""
    (tmp_path / "render.lua").write_text("return { supports = {}, render = function() return {} end }")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.yaml").write_text("promise: x\ngiven: {}\nstage: {}\nexpect: []\n")
    with pytest.raises(KrmfnError, match=r"unknown.*expect"):
        list(cases(str(tmp_path)))


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("expected: [{kind: A, b: 1, a: 1}]", ""),
        ("expected: [{kind: A, a: 1, b: 1}]", "p: expected"),
        ("expected: []", "p: expected"),
        ("refused: x", "p: not refused"),
    ],
)
def test_case_that_is_not_kept(tmp_path, rest, problem):
    """A case is kept to the order of the keys."""
    (tmp_path / "render.lua").write_text("return { supports = {}, render = function(given) return { given } end }")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.yaml").write_text(f"promise: p\ngiven: {{kind: A, b: 1, a: 1}}\nstage: {{}}\n{rest}\n")
    (case,) = cases(str(tmp_path))
    assert case.problem().startswith(problem)
    assert bool(case.problem()) == bool(problem)


def test_large_route():
    """A route of many rules is rendered within the budget of instructions."""
    case = next(case for case in CASES if case.path.endswith("three-hosts.yaml"))
    given = {**case.given, "spec": {**case.given["spec"], "rules": case.given["spec"]["rules"] * 350}}
    (canary,) = render(case.script, given, full(case.stage))
    assert len(canary["spec"]["rules"]) == 350
