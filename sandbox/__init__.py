"""The outside world, played locally: WeChat's platform and its phones. Knows only the product's addresses."""
