"""Energy, time and wear of an arm: its ledger, priced."""
