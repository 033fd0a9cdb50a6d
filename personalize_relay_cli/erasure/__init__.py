"""A person's events, taken out of what is set aside in the bucket."""
