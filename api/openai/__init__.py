"""The doors that speak OpenAI's protocol, so that its unmodified clients reach every provider."""
