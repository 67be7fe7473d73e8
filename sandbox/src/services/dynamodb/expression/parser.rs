//! What the grammars of all expressions share: the way through the tokens, paths, placeholders, and errors.

use super::path::{Path, Step};
use super::placeholders::Placeholders;
use super::reserved::is_reserved;
use super::tokens::{Kind, Token, tokens};
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::errors::validation;
use crate::services::dynamodb::item::value::AttributeValue;

/// The longest expression, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST: usize = 4096;

/// A way through the tokens of one expression.
pub(super) struct Parser<'e> {
    /// The parameter that the expression is in, such as `ConditionExpression`.
    expression: &'static str,
    text: &'e str,
    tokens: Vec<Token>,
    at: usize,
    placeholders: &'e Placeholders,
}

impl<'e> Parser<'e> {
    /// At the beginning of an expression.
    pub(super) fn new(
        expression: &'static str,
        text: &'e str,
        placeholders: &'e Placeholders,
    ) -> Result<Self, ServiceError> {
        let mut parser = Self { expression, text, tokens: Vec::new(), at: 0, placeholders };
        if text.len() > LONGEST {
            let size = text.len();
            return Err(parser.invalid(&format!(
                "Expression size has exceeded the maximum allowed size; expression size: {size}"
            )));
        }
        if text.trim().is_empty() {
            return Err(parser.invalid("The expression can not be empty;"));
        }
        parser.tokens = tokens(text).map_err(|at| {
            let strange: String = text.get(at..).unwrap_or_default().chars().take(1).collect();
            parser.invalid(&format!("Syntax error; token: \"{strange}\", near: \"{strange}\""))
        })?;
        Ok(parser)
    }

    /// An error in this expression.
    pub(super) fn invalid(&self, text: &str) -> ServiceError {
        validation(format!("Invalid {}: {text}", self.expression))
    }

    /// The present token does not belong here.
    pub(super) fn unexpected(&self) -> ServiceError {
        let token = self.tokens.get(self.at).map_or("<EOF>", |token| self.text_of(token));
        let from = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |token| token.start);
        let last = self.tokens.last().map_or(0, |token| token.end);
        let to = self.tokens.get(self.at + 1).map_or(last, |token| token.end);
        let near = self.text.get(from..to).unwrap_or_default();
        self.invalid(&format!("Syntax error; token: \"{token}\", near: \"{near}\""))
    }

    fn text_of(&self, token: &Token) -> &'e str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Kind and text of the present token.
    pub(super) fn peek(&self) -> Option<(Kind, &'e str)> {
        self.tokens.get(self.at).map(|token| (token.kind, self.text_of(token)))
    }

    /// Whether the expression is over.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Takes a token of a kind.
    pub(super) fn take(&mut self, kind: Kind) -> Option<&'e str> {
        let (_, text) = self.peek().filter(|(found, _)| *found == kind)?;
        self.at += 1;
        Some(text)
    }

    /// Takes a sign if it is the present token.
    pub(super) fn takes_sign(&mut self, sign: &str) -> bool {
        let is_it = self.peek() == Some((Kind::Sign, sign));
        self.at += usize::from(is_it);
        is_it
    }

    /// Takes a sign that must be there.
    pub(super) fn sign(&mut self, sign: &str) -> Result<(), ServiceError> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Whether a group in parentheses begins here, and another parenthesis closes right after it.
    pub(super) fn holds_a_group_alone(&self) -> bool {
        let mut open = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            match self.text_of(token) {
                "(" => open += 1,
                ")" => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                return at > self.at && self.tokens.get(at + 1).is_some_and(|next| self.text_of(next) == ")");
            }
        }
        false
    }

    /// Takes a keyword, in any case, if it is the present token.
    pub(super) fn takes_keyword(&mut self, keyword: &str) -> bool {
        let is_it =
            self.peek().is_some_and(|(kind, text)| kind == Kind::Word && text.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is_it);
        is_it
    }

    /// The name of the function that is called here, if one is; its opening parenthesis is taken too.
    pub(super) fn takes_function(&mut self) -> Option<&'e str> {
        let (_, name) = self.peek().filter(|(kind, _)| *kind == Kind::Word)?;
        let parenthesis = self.tokens.get(self.at + 1)?;
        if self.text_of(parenthesis) != "(" {
            return None;
        }
        self.at += 2;
        Some(name)
    }

    /// Takes a value's placeholder if it is the present token.
    pub(super) fn takes_value(&mut self) -> Result<Option<AttributeValue>, ServiceError> {
        let Some(key) = self.take(Kind::Value) else { return Ok(None) };
        match self.placeholders.value(key) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(self.invalid(&format!(
                "An expression attribute value used in expression is not defined; attribute value: {key}"
            ))),
        }
    }

    /// Takes a path.
    pub(super) fn path(&mut self) -> Result<Path, ServiceError> {
        let attribute = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.takes_sign(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.takes_sign("[") {
                let index = self.take(Kind::Digits).and_then(|digits| digits.parse().ok());
                steps.push(Step::Index(index.ok_or_else(|| self.unexpected())?));
                self.sign("]")?;
            } else {
                return Ok(Path { attribute, steps });
            }
        }
    }

    fn name(&mut self) -> Result<String, ServiceError> {
        match self.peek() {
            Some((Kind::Word, word)) if is_reserved(word) => {
                Err(self.invalid(&format!("Attribute name is a reserved keyword; reserved keyword: {word}")))
            }
            Some((Kind::Word, word)) => {
                self.at += 1;
                Ok(word.to_owned())
            }
            Some((Kind::Name, key)) => {
                self.at += 1;
                self.placeholders.name(key).map(str::to_owned).ok_or_else(|| {
                    self.invalid(&format!(
                        "An expression attribute name used in the document path is not defined; attribute name: {key}"
                    ))
                })
            }
            Some(_) | None => Err(self.unexpected()),
        }
    }

    /// The error of operands of a wrong type.
    pub(super) fn incorrect_type(&self, what: &str, name: &str, value: &AttributeValue) -> ServiceError {
        let found = value.type_name();
        self.invalid(&format!(
            "Incorrect operand type for operator or function; {what}: {name}, operand type: {found}"
        ))
    }
}
