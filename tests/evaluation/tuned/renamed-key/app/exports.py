class Exporter:
    def __init__(self, settings: dict) -> None:
        self.settings = settings

    def describe(self) -> str:
        return "as " + ", ".join(self.settings["formats"])
