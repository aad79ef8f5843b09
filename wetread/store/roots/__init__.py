"""Directories that are made known, their images moved together, and films taken back."""
