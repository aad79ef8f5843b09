"""Labelled films: where they lie, what they are called, whose they are, their splits, and their pixels."""
