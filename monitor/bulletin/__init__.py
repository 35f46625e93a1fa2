"""The month's tables: built from the ledger, compared with a print, rendered."""
