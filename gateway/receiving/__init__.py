"""Takes films that peers send: an acceptor of our own, the spool, and what is recorded and taken."""
