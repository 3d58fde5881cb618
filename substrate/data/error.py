"""What is wrong with data."""


class DataError(ValueError):
    """The data of a data set is missing or wrong; `str()` names the file and says what to do."""

    def __init__(self, message: str) -> None:
        """Keep a message; what is no UTF-8 in the names of files is shown as escapes."""
        super().__init__(message.encode("utf-8", "backslashreplace").decode())
