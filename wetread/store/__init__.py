"""The database: sessions, writes, leases, queries, migrations."""
