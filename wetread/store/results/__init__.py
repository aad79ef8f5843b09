"""Asking the results: filters, orders, pages, blocks, counts."""
