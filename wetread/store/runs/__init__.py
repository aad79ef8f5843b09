"""Runs: made, walked, paused, ended, deleted, and their accounts and alarms."""
