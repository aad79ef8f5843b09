"""The models that are registered, their decisions and evaluations."""
