"""What more than one entrance shows, as JSON: the accounts of a run, its rules, schedules and their nights."""
