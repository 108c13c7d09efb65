"""The conversation in the terminal: what is typed, what is shown, and commands. The verb is in `cli/chat.py`."""
