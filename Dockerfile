# The krmfn function as an image for kpt and kustomize: ResourceList on stdin, ResourceList on stdout.
# Runs as nobody, on a read-only root, without a network, a home, a shell or an argument.

ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_COMPILE=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /source

# What changes seldom comes first: the dependencies, as pyproject.toml names them.
COPY pyproject.toml ./
RUN python -m venv /opt/krmfn \
 && python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
    > /source/requirements.txt \
 && /opt/krmfn/bin/python -m pip install --requirement /source/requirements.txt

COPY README.md LICENSE ./
COPY krmfn krmfn
COPY lua lua
RUN /opt/krmfn/bin/python -m pip install --no-deps . \
 && /opt/krmfn/bin/python -m pip uninstall --yes pip

# Starting is most of a small run. A read-only image that had to compile would do so each time, five times as long.
# By hash and unchecked: no file's date is looked at, here or when layers are unpacked.
RUN python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/krmfn/lib


FROM python:${PYTHON}

ARG VERSION=unstable
ARG REVISION=unknown
LABEL org.opencontainers.image.title="krmfn" \
      org.opencontainers.image.description="Progressive delivery as plain manifests, as a KRM function" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The base image comes without the compiled standard library.
RUN python -m compileall -q -f -j 0 -x 'site-packages|/tests?/' --invalidation-mode unchecked-hash \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

COPY --from=build /opt/krmfn /opt/krmfn

ENV PYTHONDONTWRITEBYTECODE=1

USER 65534:65534

ENTRYPOINT ["/opt/krmfn/bin/krmfn"]
