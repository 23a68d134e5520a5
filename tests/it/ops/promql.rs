//! A reader of as much PromQL as the dashboards and alerts need; what it does not know, it refuses.
//! A crate that parses all of it brings four dozen others.

use std::iter::Peekable;
use std::vec::IntoIter;

/// A selector, and the labels that the aggregations around it keep.
#[derive(Debug, Default, PartialEq)]
pub struct Selector {
    pub name: String,
    /// Label, operator, value.
    pub matchers: Vec<(String, String, String)>,
    /// `[5m]`
    pub is_range: bool,
    pub kept: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Number(String),
    Text(String),
    Sign(String),
}

const AGGREGATIONS: [&str; 5] = ["sum", "min", "max", "avg", "count"];
/// Functions, and whether they take a range.
const FUNCTIONS: [(&str, bool); 5] = [
    ("rate", true),
    ("increase", true),
    ("histogram_quantile", false),
    ("abs", false),
    ("time", false),
];

type Parsed<T> = Result<T, String>;

/// The selectors of a query.
pub fn selectors(query: &str) -> Parsed<Vec<Selector>> {
    let mut reader = Reader { tokens: tokens(query)?.into_iter().peekable(), found: Vec::new() };
    reader.expression()?;
    match reader.tokens.next() {
        None => Ok(reader.found),
        Some(token) => Err(format!("{token:?} after the end")),
    }
}

fn tokens(query: &str) -> Parsed<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let (token, used) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let used = length(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
                (Token::Word(rest[..used].to_owned()), used)
            }
            '0'..='9' => {
                let used = length(|c| c.is_ascii_alphanumeric() || c == '.');
                (Token::Number(rest[..used].to_owned()), used)
            }
            '"' => {
                let end = rest[1..].find('"').ok_or("a text without an end")?;
                (Token::Text(rest[1..=end].to_owned()), end + 2)
            }
            _ => {
                let signs = ["=~", "!~", "!=", "==", ">=", "<="];
                let used = signs.iter().find(|sign| rest.starts_with(**sign)).map_or(1, |_| 2);
                let sign = rest
                    .get(..used)
                    .filter(|sign| "(){}[],=+-*/<>=~!".contains(*sign) || used == 2);
                (Token::Sign(sign.ok_or_else(|| format!("{first} is no sign"))?.to_owned()), used)
            }
        };
        found.push(token);
        rest = rest[used..].trim_start();
    }
    Ok(found)
}

struct Reader {
    tokens: Peekable<IntoIter<Token>>,
    found: Vec<Selector>,
}

impl Reader {
    fn sign(&mut self, sign: &str) -> bool {
        self.tokens.next_if_eq(&Token::Sign(sign.to_owned())).is_some()
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        match self.sign(sign) {
            true => Ok(()),
            false => Err(format!("{sign} is expected, not {:?}", self.tokens.peek())),
        }
    }

    fn word(&mut self) -> Parsed<String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("a name is expected, not {other:?}")),
        }
    }

    /// Which operator binds how is of no interest here.
    fn expression(&mut self) -> Parsed<()> {
        loop {
            self.operand()?;
            let operators = ["+", "-", "*", "/", ">", "<", ">=", "<=", "==", "!="];
            if !operators.iter().any(|operator| self.sign(operator)) {
                return Ok(());
            }
        }
    }

    fn operand(&mut self) -> Parsed<()> {
        match self.tokens.next() {
            Some(Token::Number(number)) => {
                number.parse::<f64>().map(drop).map_err(|_| format!("{number} is no number"))
            }
            Some(Token::Sign(sign)) if sign == "(" => {
                self.expression()?;
                self.expect(")")
            }
            Some(Token::Word(word)) if AGGREGATIONS.contains(&word.as_str()) => self.aggregation(),
            Some(Token::Word(word)) if self.tokens.peek() == Some(&Token::Sign("(".into())) => {
                self.function(&word)
            }
            Some(Token::Word(word)) => self.selector(word),
            other => Err(format!("{other:?} is no operand")),
        }
    }

    fn aggregation(&mut self) -> Parsed<()> {
        let mut kept = Vec::new();
        if self.tokens.next_if_eq(&Token::Word("by".to_owned())).is_some() {
            self.expect("(")?;
            kept = self.list(Self::word)?;
            self.expect(")")?;
        }
        let first = self.found.len();
        self.expect("(")?;
        self.expression()?;
        self.expect(")")?;
        if self.found[first..].iter().any(|selector| selector.is_range) {
            return Err("a range is aggregated".to_owned());
        }
        for selector in &mut self.found[first..] {
            selector.kept.extend(kept.iter().cloned());
        }
        Ok(())
    }

    fn function(&mut self, name: &str) -> Parsed<()> {
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
        let (_, takes_range) = known.ok_or_else(|| format!("{name} is no known function"))?;
        let first = self.found.len();
        self.expect("(")?;
        self.list(Self::expression)?;
        self.expect(")")?;
        match self.found[first..].iter().all(|selector| selector.is_range == *takes_range) {
            true => {
                // What comes out is of a moment again.
                self.found[first..].iter_mut().for_each(|selector| selector.is_range = false);
                Ok(())
            }
            false => Err(format!("{name} takes {}a range", if *takes_range { "" } else { "not " })),
        }
    }

    fn selector(&mut self, name: String) -> Parsed<()> {
        let mut selector = Selector { name, ..Selector::default() };
        if self.sign("{") {
            selector.matchers = self.list(Self::matcher)?;
            self.expect("}")?;
        }
        if self.sign("[") {
            match self.tokens.next() {
                Some(Token::Number(time)) if time.ends_with(['s', 'm', 'h', 'd']) => {}
                other => return Err(format!("a length of time is expected, not {other:?}")),
            }
            self.expect("]")?;
            selector.is_range = true;
        }
        self.found.push(selector);
        Ok(())
    }

    fn matcher(&mut self) -> Parsed<(String, String, String)> {
        let label = self.word()?;
        let operators = ["=~", "!~", "!=", "="];
        let operator = operators.iter().find(|operator| self.sign(operator));
        let operator = operator.ok_or("a comparison is expected")?;
        match self.tokens.next() {
            Some(Token::Text(value)) => Ok((label, (*operator).to_owned(), value)),
            other => Err(format!("a text is expected, not {other:?}")),
        }
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }
}

#[test]
fn a_query_is_read_with_its_labels_and_a_wrong_one_refused() {
    let read =
        selectors("histogram_quantile(0.9, sum by (le, a) (rate(x_bucket{b=~\"c|d\"}[5m]))) > 1");
    let matchers = vec![("b".to_owned(), "=~".to_owned(), "c|d".to_owned())];
    let kept = vec!["le".to_owned(), "a".to_owned()];
    let name = "x_bucket".to_owned();
    assert_eq!(read, Ok(vec![Selector { name, matchers, is_range: false, kept }]));
    for wrong in ["rate(x)", "sum(x", "x[5]", "rates(x[5m])", "x{a=b}", "x y", "x +", "abs(x[5m])"]
    {
        assert!(selectors(wrong).is_err(), "{wrong}");
    }
}
