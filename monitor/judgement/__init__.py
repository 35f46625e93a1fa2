"""What is true of each unit, and since when. Core, but for what reads files and the ledger."""
