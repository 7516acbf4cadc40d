"""Training the local classifier: counting, fitting, comparing with the rules. Needs the extra ``ml`` or ``bench``."""
