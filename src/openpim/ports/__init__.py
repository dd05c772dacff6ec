"""What the acts need from outside (clock, store, connector, mailer), as Protocols; imports core only."""
