"""How we are run by a host: bytes on standard input, bytes on standard output, findings on standard error.

Everything is written once, at the end: a host takes an empty standard output with exit code 0 for "delete everything"
(reference of the hosts, trap 1), and free text on standard output for broken YAML (trap 8).
"""

import os
import sys

from krmfn import krm
from krmfn.config import Config, parse
from krmfn.errors import KrmfnError, NotYaml
from krmfn.function import Rendered, render
from krmfn.kinds import FLUX, LOCAL_CONFIG
from krmfn.results import ERROR, Result, errors

# A host that renames objects before it runs us says so in their annotations.
RENAMED = b"previousNames"

# As programs end that a closed pipe stops: whoever reads, such as `head`, has what it wanted.
CLOSED = 128 + 13

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from krmfn.krm import Item, Package


def run_function(arguments: "Sequence[str]" = ()) -> int:
    """Be a KRM function: a ResourceList in, a ResourceList out; or, as a legacy kustomize plugin, a stream in and out.

    ``arguments`` is empty, or starts with the path of the plugin's configuration. Returns the exit code.
    """
    try:
        chunks, results, code = answered(sys.stdin.buffer.read(), arguments)
    except Exception as bug:
        # kpt shows four lines, and those of a traceback say nothing to a user.
        said = f"{type(bug).__name__}: {bug}"
        sys.stderr.write(f"error: a bug in krmfn, please report it; nothing was written ({said})\n")
        raise
    try:
        for chunk in chunks:
            _write_all(chunk)
    except BrokenPipeError:
        return CLOSED
    report(results)
    return code


def answered(
    data: bytes, arguments: "Sequence[str]" = ()
) -> "tuple[Sequence[bytes | memoryview], Sequence[Result], int]":
    """Return what to write, what to say and the exit code for what stood on standard input."""
    try:
        package, rendered = _made_of(data, arguments)
        return _output(package, rendered), rendered.results, int(rendered.failed)
    except KrmfnError as problem:
        return [], errors(problem), 1


def _made_of(data: bytes, arguments: "Sequence[str]") -> "tuple[Package, Rendered]":
    """Return the package and what is made of it. Raises KrmfnError where there is none."""
    package = _read(data, arguments)
    try:
        config = _config(package, arguments)
        package = _supplied(package, config)
    except NotYaml:
        raise
    except KrmfnError as problem:
        return package, Rendered({}, tuple(errors(problem)), failed=True)
    if RENAMED not in data:
        return package, _rendered(package, config)
    from krmfn.renamed import Renamed

    names = Renamed(package)
    rendered = _rendered(names.written, config)
    if problems := tuple(names.problems(rendered.views)):
        return package, Rendered({}, problems, failed=True)
    return package, rendered.replace(changes=names.back(rendered.changes))


def _supplied(package: "Package", config: Config) -> "Package":
    if not config.manifests:
        return package
    from krmfn.supply import supplied

    return supplied(package, config.manifests)


def _rendered(package: "Package", config: Config) -> Rendered:
    if config.ordering == FLUX:
        message = f"ordering {FLUX} needs folders that depend on each other; use `krmfn render -o DIR` for it"
        return Rendered({}, (Result(ERROR, message),), failed=True)
    if not config.validate:
        return render(package, config)
    from krmfn.validation import validated

    return validated(package, config)


def _read(data: bytes, arguments: "Sequence[str]") -> "Package":
    """Read standard input, on which a kustomize generator in its legacy form gets nothing."""
    return krm.read_files([]) if arguments and not data.strip() else krm.read(data)


def applied(package: "Package", rendered: Rendered) -> "list[Item]":
    """Return the objects that a host applies: all of them, without what is read by krmfn alone."""
    return [item for item in items(package, rendered) if not local(item)]


def items(package: "Package", rendered: Rendered) -> "list[Item]":
    """Return every object of the rendered package, in order."""
    found: list[Item] = []
    for mark, item in enumerate(package.items):
        found += rendered.changes.get(mark, (item,))
    return found


def local(item: "Item") -> bool:
    """Tell whether an object is configuration for a tool, not for the cluster."""
    metadata = item.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(LOCAL_CONFIG) == "true"


def report(results: "Iterable[Result]") -> None:
    """Say the findings on standard error, errors first: kpt shows four lines."""
    lines = [result.line() for result in sorted(results, key=lambda result: result.severity != ERROR)]
    if lines:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()


def _config(package: "Package", arguments: "Sequence[str]") -> Config:
    if not arguments:
        return parse(package.config)
    with open(arguments[0], "rb") as file:
        given = krm.read_files([(arguments[0], file.read())])
    if len(given.items) != 1:
        message = f"the function config is a file of {len(given.items)} objects, and has to hold one"
        raise KrmfnError(message, file=arguments[0])
    return parse(given.items[0].value)


def _output(package: "Package", rendered: Rendered) -> "Sequence[bytes | memoryview]":
    if package.wire == "list":
        return krm.write(package, rendered.changes, [result.manifest() for result in rendered.results])
    return [] if rendered.failed else [krm.write_stream(applied(package, rendered))]


def _write_all(chunk: "bytes | memoryview") -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(1, view) :]
