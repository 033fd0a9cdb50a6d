"""Reads the deployed dashboard as the console does, and draws it."""
