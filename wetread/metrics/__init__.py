"""Prometheus metrics: what a worker counts of its own work, what the database says of all of it, and their port."""
