"""Walks archives, keeps the list of images, makes batches, rings the broker."""
