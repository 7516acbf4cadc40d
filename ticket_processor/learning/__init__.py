"""What people made of our labels, and what is learnt from it."""
