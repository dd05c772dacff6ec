"""What proves the audit history, for those who keep it and for those who check it: hash trees, the bytes of an event,
signed checkpoints. Standard library only: `pim audit verify` runs on machines that have nothing else of ours."""
