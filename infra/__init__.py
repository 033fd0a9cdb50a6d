"""The relay's infrastructure, as CDK constructs."""
