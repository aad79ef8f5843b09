"""Readers of the reading room and their sessions."""
