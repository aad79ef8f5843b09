"""The model artefact, the registry, and the classifiers behind one protocol."""
