"""WeChat Pay, played: the API of api.mch.weixin.qq.com, the notifications, and the payer's side."""
