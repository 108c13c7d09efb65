"""Prompt experiments: which words, models and settings are better on your pictures, and how sure one can be of it.

The parts: `spec` says what is compared, `runner` runs it into a folder, `scorers` judge each trial, `verdicts` compares
variants, `report` shows it. No recipe is written here, and nothing is computed twice: the stage cache is that of all.
"""
