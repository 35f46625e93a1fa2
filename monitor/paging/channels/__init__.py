"""One module for each kind of target: how a message becomes a request, and what an answer means. All core."""
