"""Writes, encrypts, verifies, keeps and erases sealed receipts."""
