"""Mappings at work: what they make of records, and how that is shown."""
