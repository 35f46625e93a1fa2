"""The `hipwatch` command."""
