"""Readers of the reading room, their sessions, and the tokens of their programs."""
