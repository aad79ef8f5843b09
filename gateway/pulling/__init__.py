"""Fetches films from a PACS: what is wanted is asked for and written down, then fetched."""
