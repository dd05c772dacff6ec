"""The words on the wire: names, enums, durations, OData; imports nothing else of ours."""
