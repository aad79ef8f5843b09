"""The NumPy neural network."""
