"""Sealed receipts: written, encrypted, verified, kept, erased and exported."""
