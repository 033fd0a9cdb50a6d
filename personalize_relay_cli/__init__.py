"""The `relay` command: parses, calls the modules beside it, and prints."""
