"""What the model is told about a customer."""

import pandas as pd

TODAY = pd.Timestamp("2026-01-31")


def features(customers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "months": (TODAY - customers["since"]).dt.days // 30,
            "quiet_days": (TODAY - customers["last_order"]).dt.days,
            "orders": customers["orders"],
            "complaints": customers["complaints"].fillna(0),
        }
    )
