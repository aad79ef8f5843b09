"""Measurements of the program on the machine they are run on."""
