"""What provisioners may do: people and groups from another system, never active privilege."""
