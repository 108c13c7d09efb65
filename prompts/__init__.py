"""Prompt files, one per variant, named `<recipe>.<part>[.<variant>].prompty`. Text only; read by `socratic.prompt`."""
