"""What `verify.py` is made of: the engines, what they are tried on, and the whole run."""
