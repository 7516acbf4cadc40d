"""A ticket understood: the chain of models, classifier and rules, and what it costs."""
