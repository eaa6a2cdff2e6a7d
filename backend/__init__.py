"""The hospital part: what is true, who may do what, what happens next. It does not know that WeChat exists."""
