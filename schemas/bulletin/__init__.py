"""The printed bulletin: its columns, its cells, and a printed month."""
