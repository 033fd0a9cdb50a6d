"""A stand-in for Amazon Personalize's PutEvents: its answers, its limits, and faults on request."""
