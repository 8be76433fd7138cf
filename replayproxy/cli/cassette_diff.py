"""`replayproxy cassette diff`: how two cassettes, or two interactions, differ."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replayproxy.cli.cassette_files import interaction_in, store_of
from replayproxy.cli.terminal import page, print_json, styled
from replayproxy.core.cassette import Interaction
from replayproxy.core.cassette_diff import Change, changes, interaction_differences
from replayproxy.core.differences import ABSENT, Difference
from replayproxy.core.messages import FileBody, plain

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["diff"]

_DIFFERENT = 1
#: So much of a value is shown; --json has all of it.
_SHOWN = 2000


@click.command()
@click.argument("left", type=click.Path())
@click.argument("right", type=click.Path())
@click.option("--all", "volatile", is_flag=True, help="Count what differs from recording to recording, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@click.option("--pager/--no-pager", default=True, help="Whether what is longer than the screen goes to $PAGER.")
@click.pass_context
def diff(context: click.Context, left: str, right: str, volatile: bool, as_json: bool, pager: bool) -> None:
    """Say how the cassettes LEFT and RIGHT differ, or two interactions, each named as PATH#NUMBER.

    The exit status is 1 when they differ and 0 when they are the same. Interactions belong together when their requests
    are the same, in order; of those that are left over, the ones that go to the same path. Dates, request ids, times
    and how a stream was cut up do not count, unless --all is given.

    \b
    Examples:
      replayproxy cassette diff cassettes/checkout.yaml~ cassettes/checkout.yaml
      replayproxy cassette diff cassettes/checkout.yaml#3 cassettes/checkout.yaml#5
      git show HEAD:cassettes/a.yaml > /tmp/a.yaml; replayproxy cassette diff /tmp/a.yaml cassettes/a.yaml
    """
    (old_path, old), (new_path, new) = _named(left), _named(right)
    if (old is None) != (new is None):
        raise click.UsageError("compare two cassettes, or two interactions: PATH#NUMBER PATH#NUMBER")
    if old is not None and new is not None:
        pair = interaction_in(old_path, old), interaction_in(new_path, new)
        differences = interaction_differences(*pair, volatile=volatile)
        found = (Change(old, new, differences),)[: bool(differences)]
        sides = ({old: pair[0]}, {new: pair[1]})
    else:
        both = store_of(old_path).load().interactions, store_of(new_path).load().interactions
        found = changes(*both, volatile=volatile)
        sides = dict(enumerate(both[0], 1)), dict(enumerate(both[1], 1))
    if as_json:
        print_json([_as_json(change, *sides) for change in found])
    else:
        page([*_lines(found, *sides)], pager=pager)
    context.exit(_DIFFERENT if found else 0)


def _named(text: str) -> tuple[Path, int | None]:
    """The file, and the number of the interaction (None: the whole cassette)."""
    path, sign, number = text.rpartition("#")
    if sign and number.isascii() and number.isdigit() and not Path(text).exists():
        return Path(path), int(number)
    return Path(text), None


_Side = Mapping[int, Interaction]


def _kind(change: Change) -> str:
    return "changed" if change.left and change.right else "removed" if change.left else "added"


def _about(change: Change, left: _Side, right: _Side) -> Interaction:
    return right[change.right] if change.right else left[change.left]


def _lines(found: Sequence[Change], left: _Side, right: _Side) -> Iterator[Text]:
    looks = {"changed": ("~", "yellow"), "removed": ("-", "red"), "added": ("+", "green")}
    for change in found:
        sign, style = looks[_kind(change)]
        numbers = " -> ".join(f"#{number}" for number in dict.fromkeys((change.left, change.right)) if number)
        about = _about(change, left, right)
        title = f"{sign} {_kind(change)} {numbers}: {about.request.method} {about.request.target}"
        yield styled(title, f"bold {style}")
        for difference in change.differences:
            yield from _difference_lines(difference)
    same = len(left) - sum(1 for change in found if change.left)
    counts = [(sum(_kind(change) == kind for change in found), kind) for kind in looks]
    told = ", ".join(f"{count} {kind}" for count, kind in (*counts, (same, "the same")) if count)
    yield styled(told or "Both are empty.")


def _difference_lines(difference: Difference) -> Iterator[Text]:
    yield styled(f"    {difference.path}", "bold")
    for sign, style, value in (("-", "red", difference.recorded), ("+", "green", difference.received)):
        if value is not ABSENT:
            yield styled(f"      {sign} {_shown(value)}", style)


def _shown(value: object) -> str:
    text = json.dumps(_plain(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _plain(value: object) -> Any:
    """A side of a difference as JSON has it."""
    if isinstance(value, FileBody):
        return {"file": value.name, "size": value.size}
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {plain(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return plain(value) if isinstance(value, str) else value


def _as_json(change: Change, left: _Side, right: _Side) -> dict[str, Any]:
    about = _about(change, left, right)
    return {
        "kind": _kind(change),
        "left": change.left or None,
        "right": change.right or None,
        "method": about.request.method,
        "target": about.request.target,
        "operation": about.operation or None,
        "differences": [_difference_as_json(each) for each in change.differences],
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    """A side that is not there has no key."""
    sides = {"left": difference.recorded, "right": difference.received}
    return {"path": difference.path} | {name: _plain(value) for name, value in sides.items() if value is not ABSENT}
