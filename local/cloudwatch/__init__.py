"""Metrics in the emulator's CloudWatch, made of logs and counts, and the metric math that the emulator lacks."""
