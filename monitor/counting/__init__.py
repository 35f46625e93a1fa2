"""What a batch of events changes. Core: values in, values out."""
