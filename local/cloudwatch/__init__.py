"""Makes metrics of logs and counts in the emulator's CloudWatch, and computes the metric math that it lacks."""
