"""When each known trap applies: pure functions of what was found, giving the values for its texts or None."""
