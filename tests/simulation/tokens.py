"""Reading expression text token by token, for DynamoDB's two languages."""

import re
from collections.abc import Sequence


class SyntaxFault(Exception):
    """The text is not in the language; the message is what DynamoDB's ValidationException would roughly say."""


class Tokens:
    """A cursor over the tokens of one text. Words compare without regard to case."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._tokens = _split(text, pattern)
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """The next token, or an empty string at the end."""
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise SyntaxFault("unexpected end of the expression")
        self._at += 1
        return token

    def take(self, *words: str) -> bool:
        """Move past `words` when they come next."""
        if all(self.peek(ahead).upper() == word for ahead, word in enumerate(words)):
            self._at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            raise SyntaxFault(f"expected {' '.join(words)}, found {self.peek() or 'the end'!r}")

    def expect_end(self) -> None:
        if self.peek():
            raise SyntaxFault(f"unexpected token {self.peek()!r}")


def _split(text: str, pattern: re.Pattern[str]) -> Sequence[str]:
    tokens, at = [], 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise SyntaxFault(f"unexpected character at {at}: {text[at : at + 10]!r}")
        at = match.end()
        if not match.group().isspace():
            tokens.append(match.group())
    return tokens
