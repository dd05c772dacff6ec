"""What every HTTP face needs: the thread hop, body limits, request ids, our public address, bearer tokens."""
