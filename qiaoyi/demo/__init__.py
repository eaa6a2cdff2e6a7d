"""`qiaoyi demo`: a whole consultation, played on the phones of a running local WeChat."""
