"""Weights run by PyTorch."""
