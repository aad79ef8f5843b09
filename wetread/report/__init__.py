"""What a run gave, compared with the runs before it: the morning report."""
