"""Functions of the program that the model may call: their declaration, their arguments, their results."""
