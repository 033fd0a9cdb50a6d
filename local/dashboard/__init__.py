"""The deployed dashboard, read as the console reads it, and drawn."""
