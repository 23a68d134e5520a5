//! Short answers in plain English that refer to what was asked.

use super::seed::Dice;
use super::tokens;

/// Forced lengths beyond this are only reported: nobody reads the text of a replayed trace.
const LONGEST: u64 = 2_000;

const OPENERS: [&str; 6] = [
    "Here is a short answer about {t}.",
    "{T} is easier to see once it is split into parts.",
    "Let us look at {t} step by step.",
    "There are two things worth knowing about {t}.",
    "A good way into {t} is to begin with what is certain.",
    "In brief, {t} comes down to a few clear points.",
];

const BODY: [&str; 14] = [
    "Write down what you already know about {t} and what is still open.",
    "Most difficulties come from assumptions that nobody has checked, so check the cheapest first.",
    "Keep the parts small enough that each can be tested on its own.",
    "If two sources disagree about {t}, prefer the one that shows its figures.",
    "An example with real numbers usually says more than a definition.",
    "Where the result matters, do it twice by different ways and compare.",
    "Names deserve care: one word for one thing saves a long discussion later.",
    "Once the simple case works, look at the limits: nothing, one, very many.",
    "It also helps to say what {t} is not, because that is where mix-ups begin.",
    "Measure before changing anything, and change one thing at a time.",
    "The order matters less than it seems, as long as each step can be undone.",
    "For a first version, the plain solution is nearly always enough.",
    "Ask who will use the result; that decides how much detail is right.",
    "Leave a note on why you decided as you did, since the how can be read from the work itself.",
];

const CLOSER: &str = "(This answer comes from the sandbox model: the words are examples, \
                      the tokens and prices are real.)";

const THOUGHTS: [&str; 5] = [
    "The question is about {t}.",
    "First I should settle what is being asked, and what would count as a useful answer.",
    "There is no need for much detail here; a few clear points will do.",
    "I should check that the answer stays with {t} and does not wander off.",
    "That gives an order: the short answer, then the reasons, then one caution.",
];

/// Phrases that introduce a question without being its subject.
const LEAD_INS: [&str; 18] = [
    "please ",
    "can you ",
    "could you ",
    "would you ",
    "i want to know ",
    "tell me about ",
    "tell me ",
    "explain ",
    "describe ",
    "write about ",
    "write a ",
    "write an ",
    "write ",
    "summarize ",
    "summarise ",
    "what is ",
    "what's ",
    "what are ",
];
/// Questions after a way, which read as a subject when they begin with "how to".
const WAYS: [&str; 5] = ["how do i ", "how do you ", "how can i ", "how do we ", "how should i "];
/// What follows these cannot stand alone: "what is in the box" stays as it is.
const PREPOSITIONS: [&str; 5] = ["in ", "on ", "at ", "for ", "with "];

/// What a text is about: its first sentence without the words that introduce it, shortened.
pub fn topic(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let sentence = line.split(['?', '!', ';']).next().unwrap_or_default();
    let mut subject = sentence.split(". ").next().unwrap_or_default().trim();
    while let Some(rest) = without_any(subject, &LEAD_INS) {
        if without_any(rest, &PREPOSITIONS).is_some() {
            break;
        }
        subject = rest.trim_start();
    }
    let way = without_any(subject, &WAYS).map(|rest| format!("how to {rest}"));
    let subject = way.as_deref().unwrap_or(subject);
    let words: Vec<&str> = subject.split_whitespace().take(10).collect();
    let subject = words.join(" ");
    let subject = subject.trim_end_matches(['.', ',', ':', '"', '\'']);
    let shortened: String = subject.chars().take(120).collect();
    if shortened.is_empty() { "your question".to_owned() } else { shortened }
}

fn without_any<'a>(text: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    prefixes.iter().find_map(|prefix| strip_prefix_any_case(text, prefix))
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// An answer to a user's text. With `length`, it is stretched to that many tokens.
pub fn answer(text: &str, dice: &mut Dice, length: Option<u64>) -> String {
    match length {
        Some(length) => stretched(&topic(text), dice, length.min(LONGEST)),
        None => direct(text).unwrap_or_else(|| paragraph(&topic(text), dice)),
    }
}

fn paragraph(topic: &str, dice: &mut Dice) -> String {
    let mut sentences = vec![fill(dice.pick(&OPENERS), topic)];
    let first = dice.below(BODY.len() as u64) as usize;
    let count = 2 + dice.below(4) as usize;
    sentences.extend(BODY.iter().cycle().skip(first).take(count).map(|line| fill(line, topic)));
    sentences.push(CLOSER.to_owned());
    sentences.join(" ")
}

fn stretched(topic: &str, dice: &mut Dice, length: u64) -> String {
    let mut text = fill(dice.pick(&OPENERS), topic);
    // No sentence has fewer than six tokens, so this ends.
    while tokens::count(&text) < length {
        for _ in 0..8 {
            text.push(' ');
            text.push_str(&fill(dice.pick(&BODY), topic));
        }
    }
    tokens::truncate(&text, length).0
}

/// Answers that need no invention: sums, greetings, and texts to repeat.
fn direct(text: &str) -> Option<String> {
    if let Some(sum) = arithmetic(text) {
        return Some(sum);
    }
    let plain = text.trim();
    let commands = [
        "reply with exactly",
        "reply with",
        "respond with",
        "repeat after me",
        "repeat",
        "answer with",
        "say",
    ];
    for command in commands {
        if let Some(rest) = strip_prefix_any_case(plain, command)
            && rest.starts_with([' ', ':', ','])
        {
            let wanted = rest.trim_matches([' ', ':', ',', '"', '\'', '.']);
            return (!wanted.is_empty()).then(|| wanted.to_owned());
        }
    }
    let first = plain.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let greeting = ["hello", "hi", "hey"].iter().any(|word| first.eq_ignore_ascii_case(word));
    (greeting && plain.len() < 40).then(|| "Hello! How can I help you today?".to_owned())
}

/// Finds `2 + 2` in a text and works it out.
fn arithmetic(text: &str) -> Option<String> {
    let spaced: String = text
        .chars()
        .flat_map(|c| if "+-*×".contains(c) { vec![' ', c, ' '] } else { vec![c] })
        .collect();
    let words: Vec<&str> =
        spaced.split([' ', '?', '=', '.', ',']).filter(|w| !w.is_empty()).collect();
    words.windows(3).find_map(|window| {
        let (left, right) = (window[0].parse::<u32>().ok()?, window[2].parse::<u32>().ok()?);
        let (left, right) = (i64::from(left), i64::from(right));
        let (sign, result) = match window[1] {
            "+" => ("+", left + right),
            "-" => ("-", left - right),
            "*" | "×" => ("×", left.checked_mul(right)?),
            _ => return None,
        };
        Some(format!("{left} {sign} {right} = {result}"))
    })
}

/// What a reasoning model thinks before it answers.
pub fn thoughts(text: &str, dice: &mut Dice, effort: &str) -> String {
    let count = match effort {
        "high" | "xhigh" | "max" => 5,
        "low" | "minimal" => 2,
        _ => 3 + dice.below(2) as usize,
    };
    let topic = topic(text);
    let lines: Vec<String> = THOUGHTS.iter().take(count).map(|line| fill(line, &topic)).collect();
    lines.join(" ")
}

/// Tells the user what a tool found.
pub fn report(tool: Option<&str>, result: &str, asked: &str) -> String {
    let source = tool.map_or_else(|| "the tool".to_owned(), |name| format!("`{name}`"));
    let result: String = result.trim().chars().take(400).collect();
    let result = if result.is_empty() { "nothing".to_owned() } else { result };
    format!("About {}: {source} returned {result}", topic(asked))
}

fn fill(sentence: &str, topic: &str) -> String {
    let mut letters = topic.chars();
    let capital: String = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    sentence.replace("{T}", &(capital + letters.as_str())).replace("{t}", topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_is_the_question_without_its_lead_in() {
        for (text, expected) in [
            ("What is the capital of France?", "the capital of France"),
            ("Please explain double-entry bookkeeping. Use examples.", "double-entry bookkeeping"),
            ("How do I keep a ledger?", "how to keep a ledger"),
            ("What is in this picture?", "What is in this picture"),
            ("", "your question"),
            ("日本の首都はどこですか", "日本の首都はどこですか"),
        ] {
            assert_eq!(topic(text), expected);
        }
    }

    #[test]
    fn sums_greetings_and_echoes_are_answered_directly() {
        let mut dice = Dice::new(1);
        for (text, expected) in [
            ("What's 2 + 2?", "2 + 2 = 4"),
            ("What is 3*14", "3 × 14 = 42"),
            ("Hi!", "Hello! How can I help you today?"),
            ("Say \"pong\"", "pong"),
        ] {
            assert_eq!(answer(text, &mut dice, None), expected);
        }
    }

    #[test]
    fn a_forced_length_is_met_exactly() {
        for length in [1, 7, 250] {
            let text = answer("Tell me about ledgers", &mut Dice::new(3), Some(length));
            assert_eq!(tokens::count(&text), length);
        }
    }
}
