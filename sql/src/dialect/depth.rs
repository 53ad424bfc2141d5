//! How deep the tree of a statement can become, told from its tokens before anything is built.
//!
//! The parser counts brackets, but `1 + 1 + 1 …` it reads in a loop into a tree that leans to the left, as deep as it
//! is long. Copying, comparing or dropping such a tree is recursive, and a stack that overflows ends the process with
//! all its sessions. So a statement may not be deeper than every walk over it can bear.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// Tokens one behind another, without a comma between them and counting those around the brackets they are in: a
/// thousand conditions. Planning takes time that grows with the square of it, and nothing can interrupt it.
const MAX_RUN: usize = 4_000;

/// One pair of brackets, or the statement itself.
#[derive(Clone, Copy, Default)]
struct Level {
    /// What the levels around it amount to.
    outside: usize,
    /// UNION, EXCEPT and INTERSECT, which no comma ends.
    set_operations: usize,
    /// Tokens since the last comma.
    run: usize,
}

impl Level {
    fn depth(self) -> usize {
        self.outside + self.set_operations + self.run
    }
}

/// The first token that is too deep.
pub(super) fn too_deep(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let mut around = Vec::new();
    let mut level = Level::default();
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen | Token::LBracket | Token::LBrace => {
                level.run += 1;
                around.push(level);
                level = Level { outside: level.depth(), ..Level::default() };
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                level = around.pop().unwrap_or(level);
                level.run += 1;
            }
            Token::Comma => level.run = 0,
            Token::Word(word)
                if matches!(word.keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT) =>
            {
                level.set_operations += 1;
                level.run = 0;
            }
            _ => level.run += 1,
        }
        if level.depth() > MAX_RUN {
            return Some(token);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::dialect::parse;

    fn sqlstate(sql: &str) -> Option<&'static str> {
        parse(sql).err().map(|error| error.sqlstate())
    }

    #[test]
    fn chains_and_brackets_are_bounded_and_lists_are_not() {
        let joined = |term: &str, operator: &str, count: usize| vec![term; count].join(operator);
        for (sql, expected) in [
            (format!("SELECT {}", joined("1", " + ", 1_900)), None),
            (format!("SELECT {}", joined("1", " + ", 50_000)), Some("54001")),
            (format!("SELECT a IN ({})", joined("1", ", ", 50_000)), None),
            (format!("SELECT 1 WHERE {}", joined("a IN (1, 2)", " OR ", 700)), None),
            (format!("SELECT 1 WHERE {}", joined("a IN (1, 2)", " OR ", 20_000)), Some("54001")),
            (joined("SELECT 1, 2", " UNION ALL ", 30_000), Some("54001")),
            (format!("INSERT INTO t VALUES {}", joined("(1, 'a')", ", ", 30_000)), None),
            (format!("SELECT {}1{}", "(".repeat(40), ")".repeat(40)), None),
            (format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000)), Some("54001")),
            (joined("SELECT 1", ";", 20_000), None),
        ] {
            assert_eq!(sqlstate(&sql), expected, "{}…", &sql[..30]);
        }
    }
}
