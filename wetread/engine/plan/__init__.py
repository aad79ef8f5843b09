"""How a trained network is served: each layer as array operations on memory of its own."""
