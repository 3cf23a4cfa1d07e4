"""Surgical edits."""

from __future__ import annotations

from krmfn.krm import emit, tree
from krmfn.krm.emit import shifted

class Source:
    def __init__(self, text, listed):
        self.text = text
        self.listed = listed

def value_of(source):
    root = tree.parse(source.text)
    value = root.value if root else None
    return value if source.listed is None else value[0]

def excerpt(source, path):
    value = value_of(source)
    for k in path:
        value = value[k]
    return emit.block(value) + "\n"

def edited(source, value, verbatim):
    if source.listed is None:
        return emit.block(value) + "\n"
    return " " * source.listed + emit.block([value], source.listed) + "\n"

def written(value, verbatim):
    return emit.block(value) + "\n"

def moved(source, listed):
    return edited(Source("", listed), value_of(source), {})[listed or 0:]
