"""Python environments made by the real tools, one for each rule of how they are identified, with a golden file each."""
