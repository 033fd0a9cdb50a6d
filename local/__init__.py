"""The whole relay on one machine.

From the ground up, as tests/test_architecture.py holds it:

- `emulator` is AWS, as far as ministack and the CDK bring it here; `personalize` stands in for PutEvents.
- `mapping` is the event source mapping between stream and function; `cloudwatch` publishes metrics, `dashboard` draws.
- `system` puts them all together around the deployed stack; `bucket` reads the records that the stack set aside.
- `terminal` ends a command well; `demo` (`make demo`) and `serve` (`make local`) are the commands.
"""
