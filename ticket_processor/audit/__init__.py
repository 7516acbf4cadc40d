"""Sealed receipts: written, encrypted, verified, kept and erased."""
