"""Training a network: recipe, batches, epochs, engines and checkpoints."""
