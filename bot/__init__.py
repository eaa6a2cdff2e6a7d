"""Everything that is said in WeChat: the callback gateway, the conversations, the messages and cards, delivery."""
