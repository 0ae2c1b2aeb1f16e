"""PyTorch modules: the temporal autoencoder, the flip classifier and the graphs that are exported from them."""
