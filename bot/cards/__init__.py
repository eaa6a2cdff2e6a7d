"""Cards: how a case, an invitation or an opinion looks in a chat, the same in conversations and in notifications."""
