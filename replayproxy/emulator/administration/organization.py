"""The family of the organisation: its people, keys, groups, roles and settings, each in a module of its own."""

from __future__ import annotations

from replayproxy.emulator.administration import (
    organization_alerts,
    organization_groups,
    organization_keys,
    organization_people,
    organization_roles,
    organization_settings,
)
from replayproxy.emulator.family import Routes

__all__ = ["KINDS", "ROUTES"]

KINDS = (
    organization_people.USER,
    organization_people.INVITE,
    organization_keys.ADMIN_KEY,
    organization_keys.ISSUED,
    organization_groups.GROUP,
    organization_groups.GROUP_USER,
    organization_groups.PROJECT_GROUP,
    organization_roles.ROLE,
    organization_roles.PROJECT_ROLE,
    organization_roles.ROLE_ASSIGNMENT,
    organization_settings.SETTING,
    organization_alerts.ALERT,
    organization_alerts.PROJECT_ALERT,
)
ROUTES: Routes = (
    *organization_people.ROUTES,
    *organization_keys.ROUTES,
    *organization_groups.ROUTES,
    *organization_roles.ROUTES,
    *organization_settings.ROUTES,
    *organization_alerts.ROUTES,
)
