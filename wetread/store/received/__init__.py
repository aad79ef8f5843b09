"""What came over the network, and who may send it."""
