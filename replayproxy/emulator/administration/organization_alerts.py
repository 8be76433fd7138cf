"""Spend alerts, of the organisation and of its projects. Nobody is alerted."""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, Paging
from replayproxy.emulator.administration.projects import project_of
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["ALERT", "PROJECT_ALERT", "ROUTES"]

_PAGING = Paging(least=0)


def _alert(record: Record, body: Json) -> Json:
    return {
        "id": record.id,
        "object": f"{'project' if record.parent else 'organization'}.spend_alert",
        **{name: body[name] for name in ("threshold_amount", "currency", "interval", "notification_channel")},
    }


def _invent(_: State, record: Record) -> None:
    channel = {"type": "email", "recipients": ["owner@example.com"], "subject_prefix": None}
    body = {"threshold_amount": 10_000, "currency": "USD", "interval": "month", "notification_channel": channel}
    record.json = _alert(record, body)


ALERT = Kind("spend alert", "alert_", _invent)
PROJECT_ALERT = Kind("project spend alert", "alert_", _invent)
_ALERTS = Collection(
    ALERT, "alert_id", paging=_PAGING, removed=lambda id_: deleted(id_, "organization.spend_alert.deleted")
)
_PROJECT_ALERTS = Collection(
    PROJECT_ALERT,
    "alert_id",
    parent=project_of,
    paging=_PAGING,
    removed=lambda id_: deleted(id_, "project.spend_alert.deleted"),
)


def _creation(alerts: Collection) -> Callable[[State, Asked], Answer]:
    def create(state: State, asked: Asked) -> Answer:
        def fill(record: Record) -> None:
            record.json = _alert(record, asked.body)

        alert = alerts.add(state, asked, fill)
        return alert if isinstance(alert, Problem) else alert.json

    return create


def _change(alerts: Collection) -> Callable[[State, Asked], Answer]:
    def change(state: State, asked: Asked) -> Answer:
        alert = alerts.find(state, asked)
        if isinstance(alert, Problem):
            return alert
        alert.json |= _alert(alert, asked.body)
        state.keep(alert)
        return alert.json

    return change


def _routes(scope: str, alerts: Collection) -> Routes:
    return (
        (f"list-{scope}-spend-alerts", alerts.page),
        (f"create-{scope}-spend-alert", _creation(alerts)),
        (f"retrieve-{scope}-spend-alert", alerts.show),
        (f"update-{scope}-spend-alert", _change(alerts)),
        (f"delete-{scope}-spend-alert", alerts.remove),
    )


ROUTES: Routes = (*_routes("organization", _ALERTS), *_routes("project", _PROJECT_ALERTS))
