"""One file per task. Recipes ask capabilities and prompts; they import no tool, no torch and no other recipe."""
