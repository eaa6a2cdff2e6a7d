"""api.weixin.qq.com: one module a chapter of the documentation, all served by ``calls``."""
