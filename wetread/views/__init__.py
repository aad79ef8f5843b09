"""What more than one entrance asks and shows, as JSON: results, runs, reviews, rules, schedules and their nights."""
