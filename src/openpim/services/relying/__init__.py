"""What applications that people sign in to are told of them: claims that are live, and that a session has ended."""
