"""From the stream through the deployed function once more, as its mapping would bring it."""
