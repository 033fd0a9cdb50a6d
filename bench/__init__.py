"""Side-by-side measurements of the relay."""
