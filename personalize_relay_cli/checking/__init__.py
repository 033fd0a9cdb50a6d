"""What the function would reject, and what weakens the training."""
