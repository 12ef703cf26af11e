"""How each kind of cause is undone: the smallest steps in the tool that made what is to be changed."""
