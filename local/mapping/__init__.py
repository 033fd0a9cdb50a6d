"""The event source mapping, made by hand: reads a stream's shards, invokes the function, retries as Lambda does."""
