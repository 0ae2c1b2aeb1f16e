"""Upside-down frames: the classifier, its training, and what is made of its word."""
