"""The database itself: connections, transactions, limits, locks, migrations, statements for both."""
