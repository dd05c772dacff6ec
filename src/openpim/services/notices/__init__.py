"""Telling people: what happened becomes deliveries (planning), deliveries become mail and messages (sending)."""
