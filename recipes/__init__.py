"""One file per task. Recipes ask capabilities, prompts and each other; they import no tool and no torch."""
