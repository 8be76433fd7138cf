"""What to say of a request that no operation of the catalog fits: what came nearest.

A warning always: the catalog may be older than the API.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache

from replayproxy.core.catalog import Base, Catalog, Operation
from replayproxy.core.problem import Problem

__all__ = ["nearest_operation", "unknown_path"]

#: Paths that have less than this in common are not called near (1.0: all).
_NEAR = 0.6
#: A templated segment is this much like any other.
_TEMPLATED = 0.85
#: Of a longer path only so much is compared.
_LONGEST = 300


def unknown_path(catalog: Catalog, method: str, target: str) -> Problem:
    """What is wrong with a request that `catalog` does not resolve: its method, or its path."""
    path = target.partition("?")[0]
    methods = catalog.methods(target)
    if methods:
        took = f"The API takes {' and '.join(methods)} there."
        return Problem(f"Not allowed to {method} on {path}. {took}", status=405, warning=True)
    base, segments = _split(catalog, path[:_LONGEST])
    near = nearest_operation(catalog, method, segments)
    hint = f" The nearest that the API has is {near.method} {base.path}{near.template} ({near.id})." if near else ""
    return Problem(f"Invalid URL ({method} {path}).{hint}", code="unknown_url", status=404, warning=True)


def nearest_operation(catalog: Catalog, method: str, segments: list[str]) -> Operation | None:
    """The operation whose method and path are most like those given (without a base); None when none is like them.

    One that the end of the path means goes first: base URLs that hold too much are the usual mistake.
    """
    for start in range(1, len(segments)):
        found = catalog.resolve(method, "/" + "/".join(segments[start:]))
        if found is not None and "{" not in found.operation.template.split("/")[1]:
            return found.operation
    scored = ((_likeness(segments, operation), operation.method == method, operation) for operation in catalog)
    best = max(scored, key=lambda each: each[:2], default=None)
    return best[2] if best and best[0] >= _NEAR else None


def _split(catalog: Catalog, path: str) -> tuple[Base, list[str]]:
    """The longest base that `path` begins with, and its further segments."""
    segments = [segment for segment in path.split("/") if segment]
    for base in sorted(catalog.bases, key=lambda each: -len(each.segments)):
        names = base.segments
        if len(segments) > len(names) and all(_fits(*pair) for pair in zip(names, segments, strict=False)):
            return base, segments[len(names) :]
    return Base(""), segments


def _fits(name: str, given: str) -> bool:
    return name == given or name.startswith("{")


def _likeness(segments: list[str], operation: Operation) -> float:
    names = operation.template.strip("/").split("/")
    return sum(_alike(segments, names)) / max(len(segments), len(names))


def _alike(segments: list[str], names: list[str]) -> Iterator[float]:
    for given, name in zip(segments, names, strict=False):
        if name.startswith("{"):
            yield _TEMPLATED
        elif given == name:
            yield 1.0
        else:
            yield _ratio(given.lower(), name)


@lru_cache(maxsize=4096)
def _ratio(given: str, name: str) -> float:
    """How alike two segments are: of all that is done here the dearest, for a few hundred pairs again and again."""
    return difflib.SequenceMatcher(None, given, name).ratio()
