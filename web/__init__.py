"""The reading room: pages on which people look at films, and say what they see."""
