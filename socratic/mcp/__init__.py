"""Recipes, tools and the assistant over the Model Context Protocol. `server.py` puts the parts together."""
