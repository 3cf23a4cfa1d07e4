"""A stand-in for a cluster, as far as Helm talks to one: it says which kinds there are, and keeps what it is given.

Helm itself is real, and so are its releases: it stores them here as the Secrets that it stores anywhere.
"""

import json
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

PROTOBUF, LABELS = b"k8s\0", 11
KINDS = {
    "v1": {"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Pod": "pods"},
    "apps/v1": {"Deployment": "deployments"},
    "batch/v1": {"Job": "jobs"},
    "networking.k8s.io/v1": {"Ingress": "ingresses"},
}


def groups() -> dict[str, Any]:
    """Return the answer to /apis."""
    found = []
    for version in KINDS:
        group, slash, name = version.rpartition("/")
        entry = {"groupVersion": version, "version": name}
        if slash:
            found.append({"name": group, "versions": [entry], "preferredVersion": entry})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def resources(version: str) -> dict[str, Any]:
    """Return the answer to /api/v1 or /apis/GROUP/VERSION."""
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    found = [
        {"name": n, "kind": k, "namespaced": True, "singularName": "", "verbs": verbs}
        for k, n in KINDS[version].items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def merged(old: Any, new: Any) -> Any:
    """Return what a patch makes of an object: entries of a list that have names are merged by them."""
    if (
        isinstance(old, list)
        and isinstance(new, list)
        and all("name" in e for e in (*old, *new) if isinstance(e, dict))
    ):
        if not all(isinstance(entry, dict) for entry in (*old, *new)):
            return new
        there = {entry["name"]: entry for entry in old}
        return list((there | {entry["name"]: merged(there.get(entry["name"]), entry) for entry in new}).values())
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    found = {k: merged(old.get(k), v) for k, v in new.items() if v is not None and not k.startswith("$")}
    return {key: value for key, value in old.items() if key not in new} | found


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each field of a protobuf message that has any."""
    place = 0

    def number() -> int:
        nonlocal place
        found = shift = 0
        while True:
            byte, place = data[place], place + 1
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found

    while place < len(data):
        key = number()
        length = number()  # a number itself, where the field is one
        if key & 7:
            yield key >> 3, data[place : place + length]
            place += length


def mapping(entries: Iterable[bytes]) -> dict[str, bytes]:
    """Return the entries of a map."""
    pairs = [dict(fields(entry)) for entry in entries]
    return {pair[1].decode(): pair.get(2, b"") for pair in pairs}


def secret(data: bytes) -> dict[str, Any]:
    """Read a Secret as client-go sends it: what Helm writes of one is its name, labels, type and data."""
    body = list(fields(dict(fields(data[len(PROTOBUF) :]))[2]))
    metadata = list(fields(dict(body)[1]))
    labels = mapping(value for number, value in metadata if number == LABELS)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": dict(metadata)[1].decode(), "labels": {k: v.decode() for k, v in labels.items()}},
        "type": dict(body)[3].decode(),
        "data": {k: b64encode(v).decode() for k, v in mapping(v for n, v in body if n == 2).items()},
    }


class Answers(BaseHTTPRequestHandler):
    """Answers one client; ``server.objects`` holds what there is, by its path."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, body: dict[str, Any] | None) -> None:
        """Answer with an object, or with "not found"."""
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        data = json.dumps(missing if body is None else body).encode()
        self.send_response(HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def given(self) -> dict[str, Any]:
        """Return what the client sent."""
        data = self.rfile.read(int(self.headers["Content-Length"] or 0))
        found: dict[str, Any] = secret(data) if data.startswith(PROTOBUF) else yaml.safe_load(data) or {}
        return found

    def listed(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        """Return the objects of a kind that have the labels."""
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", [""])[0].split(",") if pair)
        there = [o for p, o in self.server.objects.items() if p.rpartition("/")[0] == path]
        items = [o for o in there if wanted.items() <= (o["metadata"].get("labels") or {}).items()]
        kind = next(k for names in KINDS.values() for k, name in names.items() if name == path.rpartition("/")[2])
        return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": items}

    def do_GET(self) -> None:
        """Answer what there is."""
        url = urlsplit(self.path)
        path, parts = url.path.rstrip("/"), url.path.strip("/").split("/")
        known = {"/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}, "/apis": groups()}
        known["/api"] = {"kind": "APIVersions", "apiVersion": "v1", "versions": ["v1"]}
        known |= {f"/{'apis' if '/' in v else 'api'}/{v}": resources(v) for v in KINDS}
        kinds = [name for names in KINDS.values() for name in names.values()]
        if path not in known and parts[-1] in kinds:
            self.reply(self.listed(path, parse_qs(url.query)))
        else:
            self.reply(known.get(path) or self.server.objects.get(path))

    def do_POST(self) -> None:
        """Keep a new object."""
        body = self.given()
        self.server.objects[f"{urlsplit(self.path).path}/{body['metadata']['name']}"] = body
        self.reply(body)

    def do_PUT(self) -> None:
        """Keep an object."""
        self.server.objects[urlsplit(self.path).path] = body = self.given()
        self.reply(body)

    def do_PATCH(self) -> None:
        """Keep an object as a patch leaves it."""
        path = urlsplit(self.path).path
        self.server.objects[path] = body = merged(self.server.objects.get(path), self.given())
        self.reply(body)

    def do_DELETE(self) -> None:
        """Forget an object."""
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.reply(self.server.objects.pop(urlsplit(self.path).path, None))


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Run one; yield the kubeconfig that leads to it, which is written into the folder, and the objects in it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.objects = {}
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": ""}}],
        "current-context": "here",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    try:
        yield path, server.objects
    finally:
        server.shutdown()
        server.server_close()
