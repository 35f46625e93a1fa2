"""The front door: the `hipwatch` command and the local stack. Imports every room; no room imports it."""
