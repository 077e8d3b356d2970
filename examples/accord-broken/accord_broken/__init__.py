"""Extensions that fail, hang or lie."""
