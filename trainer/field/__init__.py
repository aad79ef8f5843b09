"""The segmenter that finds the lungs on a film: its network, its training, and how well it agrees with masks."""
