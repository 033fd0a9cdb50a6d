"""The whole relay on one machine.

From the ground up, in an order that tests/test_architecture.py checks:

- `emulator` stands in for AWS, with ministack and the CDK; `personalize` stands in for PutEvents.
- `mapping` is the event source mapping between stream and function; `cloudwatch` publishes metrics, `dashboard` draws.
- `system` assembles them around the deployed stack; `bucket` reads the records that the stack set aside.
- `terminal` ends a command cleanly; `demo` (`make demo`) and `serve` (`make local`) are the commands.
"""
