"""Batches on their way: leases, what is counted against a batch, settling, workers."""
