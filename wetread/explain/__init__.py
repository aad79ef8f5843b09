"""Where a model looks: maps of what in a film speaks for a label."""
