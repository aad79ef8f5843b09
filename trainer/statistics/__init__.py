"""Figures of merit, their intervals, and the small models that figures rest on."""
