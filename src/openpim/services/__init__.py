"""The acts: one use case per file, each one unit of work; imports core and ports."""
