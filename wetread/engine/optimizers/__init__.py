"""Rules that turn gradients into steps, one a module."""
