"""What can be done with the resource tree itself: reading it, making, moving and deleting what is in it, and what
hangs on it that is no grant: role definitions and deny assignments."""
