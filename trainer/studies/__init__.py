"""From films to a result: training, comparing, cross-validating, recalibrating, and the paper's studies."""
