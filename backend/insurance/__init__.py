"""Medical insurance: what it covers, and the talk with the insurer (docs/money.md)."""
