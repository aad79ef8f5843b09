"""Pure rules of time: when a schedule is due, within which hours it may read, and what becomes of each moment."""
