//! The words and signs of an expression.

/// A word or a sign, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, the name of a function or of an attribute.
    Word,
    /// `#name`.
    Name,
    /// `:value`.
    Value,
    /// Digits, as in an index.
    Digits,
    /// A sign such as `=`, `<=` or `(`.
    Sign,
}

/// The tokens of a text; an error is where something stands that begins no token.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, usize> {
    let bytes = text.as_bytes();
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let run = |from: usize, fits: &dyn Fn(&u8) -> bool| {
        from + bytes.get(from..).unwrap_or_default().iter().take_while(|byte| fits(byte)).count()
    };
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(byte) = bytes.get(start) {
        let next = bytes.get(start + 1);
        let (kind, end) = match byte {
            byte if byte.is_ascii_whitespace() => {
                start += 1;
                continue;
            }
            byte if byte.is_ascii_digit() => (Kind::Digits, run(start, &u8::is_ascii_digit)),
            byte if byte.is_ascii_alphabetic() => (Kind::Word, run(start, &is_of_word)),
            b'#' if next.is_some_and(is_of_word) => (Kind::Name, run(start + 1, &is_of_word)),
            b':' if next.is_some_and(is_of_word) => (Kind::Value, run(start + 1, &is_of_word)),
            b'<' if matches!(next, Some(b'=' | b'>')) => (Kind::Sign, start + 2),
            b'>' if next == Some(&b'=') => (Kind::Sign, start + 2),
            b'=' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b',' | b'.' | b'+' | b'-' => {
                (Kind::Sign, start + 1)
            }
            _ => return Err(start),
        };
        found.push(Token { kind, start, end });
        start = end;
    }
    Ok(found)
}
