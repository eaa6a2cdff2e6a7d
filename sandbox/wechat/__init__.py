"""WeChat for one official account: api.weixin.qq.com on one side, the phones of its users on the other."""
