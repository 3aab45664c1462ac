"""One live session: stream, mailbox, MIDI and the conductor that ties them."""
