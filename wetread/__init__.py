"""The library that the command line, the producer, the workers and the trainer share; it runs nothing by itself."""
