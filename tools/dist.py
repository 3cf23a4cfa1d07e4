"""Put krmfn and all that it needs, but for Python itself, into one executable file.

    python tools/dist.py dist/krmfn

The file is a shell script with a zip archive behind it. Its first run unpacks the archive into a cache; from then on
the script starts Python on what is there, without looking for packages, which is as quick as an installed program. It
runs with the version of Python and on the kind of machine that it was made with. Everything comes from the environment
that runs this, so no network is needed; the same environment gives the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import py_compile
import re
import sys
import sysconfig
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# Of what is installed: programs, notes, and the other Luas.
LEFT_OUT = re.compile(
    r"\.\./|.*\.dist-info/|(.*/)?__pycache__/|lupa/(lua(?!51)|tests/)|jsonpatch_cli|.*\.(pyi|pxd|pyx|c|h)$"
)
EPOCH = (1980, 1, 1, 0, 0, 0)

SCRIPT = """\
#!/bin/sh
# krmfn {version}, for Python {python} on {platform}. An archive follows; it is unpacked by the first run.
home="${{KRMFN_CACHE:-${{XDG_CACHE_HOME:-${{HOME:-/nonexistent}}/.cache}}/krmfn}}/{digest}"
if ! command -v python{python} > /dev/null; then
  echo "error: krmfn needs python{python}, which is not on PATH" >&2
  exit 1
fi
# Nobody else's file is run.
if [ -O "$home/start.py" ]; then exec python{python} -I -S "$home/start.py" "$@"; fi
exec python{python} -I -S "$0" "$home" "$@"
exit
"""

START = """\
import sys

sys.path.insert(0, __file__[: -len("/start.py")])
from krmfn.__main__ import program

program()
"""

# Unpacks beside the place where it is to be, and moves it there in one step; where it cannot, runs it and cleans up.
UNPACK = """\
import os
import runpy
import shutil
import sys
import tempfile
import zipfile

archive, home = sys.argv[0], sys.argv.pop(1)
try:
    os.makedirs(os.path.dirname(home), mode=0o700, exist_ok=True)
    place = tempfile.mkdtemp(dir=os.path.dirname(home))
except OSError:
    place, home = tempfile.mkdtemp(), ""
zipfile.ZipFile(archive).extractall(place)
if home:
    try:
        os.rename(place, home)
    except OSError:  # another run was quicker
        shutil.rmtree(place)
    place = home
else:
    import atexit

    atexit.register(shutil.rmtree, place)
runpy.run_path(os.path.join(place, "start.py"), run_name="__main__")
"""


def needed() -> Iterator[str]:
    """Yield the name of every distribution that krmfn needs."""
    names, seen = ["krmfn"], set()
    while names:
        name = names.pop()
        for text in distribution(name).requires or ():
            found = re.match(r"[A-Za-z0-9._-]+", text)
            if found and "extra ==" not in text and found[0].lower() not in seen:
                seen.add(found[0].lower())
                names.append(found[0])
    yield from sorted(seen)


def files() -> Iterator[tuple[str, bytes]]:
    """Yield every file to run krmfn with: its name in the archive, and what is in it."""
    for folder, name in ((ROOT / "krmfn", "krmfn"), (ROOT / "lua", "krmfn/_lua")):
        for path in sorted(folder.rglob("*")):
            inside = f"{name}/{path.relative_to(folder).as_posix()}"
            if path.suffix in {".py", ".lua"} and not LEFT_OUT.match(inside):
                yield inside, path.read_bytes()
    for name in needed():
        for installed in distribution(name).files or ():
            if not LEFT_OUT.match(installed.as_posix()):
                yield installed.as_posix(), Path(str(installed.locate())).read_bytes()


def compiled(name: str, source: bytes) -> tuple[str, bytes]:
    """Return the compiled form of a module, which is used without a look at the source."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "module.py")
        path.write_bytes(source)
        code = py_compile.compile(
            str(path),
            f"{path}c",
            name,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        return importlib.util.cache_from_source(name), Path(str(code)).read_bytes()


def archive() -> bytes:
    """Return the archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:

        def put(name: str, content: bytes) -> None:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            file.writestr(entry, content)

        put("__main__.py", UNPACK.encode())
        put("start.py", START.encode())
        for name, content in files():
            put(name, content)
            if name.endswith(".py"):
                put(*compiled(name, content))
    return data.getvalue()


def main(target: str) -> None:
    """Write the file, and say what it is."""
    from krmfn import __version__

    packed = archive()
    said = {"version": __version__, "python": PYTHON, "platform": sysconfig.get_platform()}
    script = SCRIPT.format(digest=hashlib.sha256(packed).hexdigest()[:32], **said)
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(script.encode() + packed)
    path.chmod(0o755)
    print(f"{target}: krmfn {__version__}, {len(packed) / 1e6:.1f} MB, for Python {PYTHON}")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets are compiled in the order of their hashes
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606
    main(*sys.argv[1:])
