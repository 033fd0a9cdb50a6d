"""AWS on this machine: ministack as a guarded child process, corrected where it differs, and the CDK for it."""
