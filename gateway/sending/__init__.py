"""Sends readings back to a PACS, as Structured Reports of the films that they were read from."""
