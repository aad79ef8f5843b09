"""The layers of a network, one a module: forward, backward, parameters."""
