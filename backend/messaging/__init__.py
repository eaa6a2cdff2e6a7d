"""Messages in and out, whatever the channel: who can be reached how, what was heard, what is still to be said."""
