"""Vision and language models that reason together in plain language."""
