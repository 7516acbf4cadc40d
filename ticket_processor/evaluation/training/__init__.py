"""Making the local classifier from labelled tickets: counting, fitting, comparing with the rules, storing.

Needs the extra ``ml``; comparing with boosted trees needs ``bench``. What comes out needs neither to be read as data.
"""
