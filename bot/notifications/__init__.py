"""Who hears of what happened, and in which words."""

from bot.notifications.consumer import CONSUMER, register

__all__ = ["CONSUMER", "register"]
