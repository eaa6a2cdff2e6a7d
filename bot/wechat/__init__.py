"""WeChat's wire: callbacks in, calls out, and nothing of what is said."""
