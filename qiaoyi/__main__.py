"""`python -m qiaoyi` is the `qiaoyi` command."""

from qiaoyi.cli import main

raise SystemExit(main())
