"""Schedules, and what became of each of their moments."""
