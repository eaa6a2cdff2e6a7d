"""`python -m qiaoyi` is the `qiaoyi` command."""

from qiaoyi import main

raise SystemExit(main())
