"""Data sets, splits, training, evaluation, plots and cards."""
