"""A scene that the project draws by itself, and the whole reconstruction job on it."""
