"""Fitting and judging the input gate, and the pictures that it must refuse."""
