"""What every training shares. Importing its files imports PyTorch; nothing that scores does."""
