"""From a file onto the stream: in order, in full calls, each event once."""
