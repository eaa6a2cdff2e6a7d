"""What is promised to whom we ask whether their images or their case may be used for teaching."""

PROMISES = (
    "· 姓名、电话、日期都会先去掉，别人看不出是您。\n· 同意不同意，都不影响给您看病。\n· 同意以后，随时可以收回。"
)
