"""One file per model family. Heavy imports happen inside `load`; files here do not import each other."""
