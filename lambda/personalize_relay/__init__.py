"""Turn Kinesis records into Amazon Personalize PutEvents calls, without losing or repeating an event."""
