"""Ways to tell people something: mail, webhook, chat."""
