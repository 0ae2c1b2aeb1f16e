"""The reconstruction method: an autoencoder, and the error of its windows."""
