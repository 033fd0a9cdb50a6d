"""What a deployment does, and what is wrong with it."""
