"""Numbers and rules: everything that needs neither a sound card nor a training set."""
