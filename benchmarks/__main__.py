"""`make bench`: how near to the machine's limit `wetread screen` is."""

from __future__ import annotations

from benchmarks.throughput import main

if __name__ == "__main__":
    main()
