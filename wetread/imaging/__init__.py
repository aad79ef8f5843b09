"""File bytes to grey pixels, and grey pixels to a network's input."""
