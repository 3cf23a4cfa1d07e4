"""What gateways do with routes, read from what their vendors say, to hold the providers to it."""
