"""What is wrong with labelled films, found before a model learns from it."""
