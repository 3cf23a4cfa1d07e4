"""Folders of manifests: which files of a folder are read, and how files are written so that nothing is lost."""

from krmfn.folder.layout import one_per_file
from krmfn.folder.reading import chosen, read
from krmfn.folder.writing import into, rewrite, stale

__all__ = ["chosen", "into", "one_per_file", "read", "rewrite", "stale"]
