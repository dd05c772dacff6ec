"""The rules: frozen values and pure functions, with the time passed in; imports nothing else of ours."""
