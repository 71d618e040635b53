from stack.fixtures import postgres, start_container, volume, wallets_table

__all__ = ["postgres", "start_container", "volume", "wallets_table"]
