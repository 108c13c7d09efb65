"""The pocket models: the drawn world, its trainers, its weights and their scores.

They are small real models of the real classes and know this world only. Nothing here is imported by the
engine; the `pocket` profile points to the weights that lie beside this file.
"""
