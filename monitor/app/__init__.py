"""The monitor's composition roots: settings in, a running process out. Nothing is wired elsewhere."""
