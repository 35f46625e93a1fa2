"""The kinds of event: one file each, named as its topic, which says what an event holds and how it is counted."""
