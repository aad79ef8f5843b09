"""What a model says of labelled films, and how good that is, as figures, tables and plots."""
