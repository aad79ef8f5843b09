"""Drawn chest films, to learn from and to screen where there are no real ones."""
