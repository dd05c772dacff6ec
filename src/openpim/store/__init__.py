"""Tables, queries, migrations, outbox and audit log: the only SQL in the project."""
