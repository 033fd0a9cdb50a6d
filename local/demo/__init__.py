"""The sample clickstream, its producer, and the account of every event."""
