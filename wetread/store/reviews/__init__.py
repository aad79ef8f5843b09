"""The lists that readers go through, and what they said of the films."""
