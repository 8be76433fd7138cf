"""The catalog that the settings mean, and whether it has what they name.

Not among the names of `replayproxy.config`, so that whoever only reads settings need not pay for reading a catalog.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from replayproxy.config.nodes import similar
from replayproxy.config.settings import ValidateSettings
from replayproxy.core.catalog import Catalog
from replayproxy.core.catalog_form import read_catalog
from replayproxy.core.rules import MatchRules
from replayproxy.errors import ConfigError
from replayproxy.openai_api import catalog as openai_catalog

__all__ = ["check_names", "load_catalog"]

_Known = Mapping[str, Collection[str]]


def load_catalog(path: Path | None) -> Catalog:
    """The catalog in the file `path`, or OpenAI's for None. ConfigError, naming the file, when it cannot be read."""
    if path is None:
        return openai_catalog()
    try:
        return read_catalog(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"catalog: {path}: cannot be read: {error.strerror or error}") from None
    except ConfigError as error:
        raise ConfigError(f"catalog: {path}: {error}") from None


def check_names(catalog: Catalog, validate: ValidateSettings, rules: MatchRules) -> None:
    """ConfigError when `validate` or a scope of `rules` names what the catalog does not have: a line for each."""
    known = {"operation": [each.id for each in catalog], "family": [each.name for each in catalog.families]}
    if problems := [*_unknown_levels(validate, known), *_unknown_scopes(rules, known)]:
        raise ConfigError("\n".join(problems))


def _unknown_levels(validate: ValidateSettings, known: _Known) -> Iterator[str]:
    names = {*known["operation"], *known["family"]}
    for name, _ in validate.operations:
        if name not in names:
            yield f"validate.operations: there is no operation or family {name[:80]}{similar(name, names)}"


def _unknown_scopes(rules: MatchRules, known: _Known) -> Iterator[str]:
    for scope, origin in rules.scopes.items():
        for kind, name, other in (("operation", scope.operation, "family"), ("family", scope.family, "operation")):
            if name and name not in known[kind]:
                meant = f"; did you mean `{other}: {name}`?" if name in known[other] else similar(name, known[kind])
                yield f"{origin or 'match.rules'}: there is no {kind} {name[:80]}{meant}"
