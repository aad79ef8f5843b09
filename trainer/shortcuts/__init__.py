"""The shortcut panel: how much of a model's skill a network without the lungs has."""
