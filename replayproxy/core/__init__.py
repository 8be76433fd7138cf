"""Decisions, as plain functions over plain values: no I/O, no clock, no environment in here."""
