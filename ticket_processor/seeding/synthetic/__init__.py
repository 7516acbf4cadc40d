"""Synthetic tickets written by a model: planned, asked for, checked, kept in a file. ``writing`` is the loop.

A model writes subject and body, nothing else: labels come from the plan, identities from this program.
"""
