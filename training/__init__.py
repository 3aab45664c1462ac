"""From human data to what ships in presets: never imported at run time."""
