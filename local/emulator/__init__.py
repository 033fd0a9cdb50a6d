"""AWS on this machine: ministack as a guarded child process, put right where it differs, and the CDK for it."""
