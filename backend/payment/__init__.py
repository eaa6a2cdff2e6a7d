"""Taking and giving back money: WeChat Pay v3."""
