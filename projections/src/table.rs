//! A read model's table as data: its DDL, its UPSERT and its comparison come from one description.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, query};

use crate::sink::{Arrays, Cells};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in the C collation: ids and names are compared by their bytes, which is cheap.
    Text,
    /// JSON text, kept as written.
    Json,
    /// A whole number.
    Int,
    /// An exact decimal number of any size.
    Number,
    /// A moment.
    Time,
    /// A UTC day.
    Day,
    /// Yes or no.
    Flag,
}

impl Kind {
    const fn sql(self) -> &'static str {
        match self {
            Self::Text => "text COLLATE \"C\"",
            Self::Json => "json",
            Self::Int => "bigint",
            Self::Number => "numeric",
            Self::Time => "timestamptz",
            Self::Day => "date",
            Self::Flag => "boolean",
        }
    }

    const fn array(self) -> &'static str {
        match self {
            Self::Text | Self::Json | Self::Number => "text[]",
            Self::Int => "bigint[]",
            Self::Time => "timestamptz[]",
            Self::Day => "date[]",
            Self::Flag => "boolean[]",
        }
    }

    const fn cast(self) -> &'static str {
        match self {
            Self::Json => "::json",
            Self::Number => "::numeric",
            Self::Text | Self::Int | Self::Time | Self::Day | Self::Flag => "",
        }
    }

    fn cells(self) -> Cells {
        match self {
            Self::Text | Self::Json | Self::Number => Cells::Text(vec![]),
            Self::Int => Cells::Int(vec![]),
            Self::Time => Cells::Time(vec![]),
            Self::Day => Cells::Day(vec![]),
            Self::Flag => Cells::Flag(vec![]),
        }
    }
}

/// How a later fold changes what stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Part of the key: never changes.
    Key,
    /// Added. Never NULL.
    Sum,
    /// Replaced where the fold knows something newer; nullable, because a fold may not.
    Last,
    /// The later moment counts.
    Latest,
    /// Written once with its row.
    Once,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How it changes.
    pub merge: Merge,
}

/// A column; short, because tables are lists of them.
pub const fn col(name: &'static str, kind: Kind, merge: Merge) -> Column {
    Column { name, kind, merge }
}

/// How rows come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Rows are added up under their key.
    Grouped,
    /// One row per event, keyed on its position, never changed: written with COPY.
    Appended,
    /// Rows come and are removed again.
    Open,
}

/// A read model's table.
#[derive(Debug)]
pub struct Table {
    /// Its name in the schema `read`.
    pub name: &'static str,
    /// For `COMMENT ON TABLE`.
    pub comment: &'static str,
    /// How rows come and go.
    pub life: Life,
    /// The columns; those of the key come first.
    pub columns: &'static [Column],
    /// Further indexes: suffix of the name, and what follows the table in `CREATE INDEX`.
    pub indexes: &'static [(&'static str, &'static str)],
}

impl Table {
    /// The key's columns.
    pub fn key(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter(|column| column.merge == Merge::Key).map(|column| column.name)
    }

    /// How many columns the key has.
    pub fn key_width(&self) -> usize {
        self.key().count()
    }

    fn key_list(&self) -> String {
        self.key().collect::<Vec<_>>().join(", ")
    }

    /// All columns, comma-separated.
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// `CREATE TABLE`, without indexes and without its key: a copy that is being filled gets them
    /// when its rows are there.
    pub fn create(&self, schema: &str) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                let null = match column.merge {
                    Merge::Key | Merge::Sum => " NOT NULL",
                    Merge::Last | Merge::Latest | Merge::Once => "",
                };
                format!("{} {}{null}", column.name, column.kind.sql())
            })
            .collect();
        // Counters change with every request: room on the page lets a row change without touching
        // its index, and vacuum comes before the table has doubled.
        let storage = match self.life {
            Life::Grouped | Life::Open => {
                " WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.1)"
            }
            Life::Appended => "",
        };
        let name = self.name;
        format!(
            "CREATE TABLE {schema}.{name} ({}){storage}; COMMENT ON TABLE {schema}.{name} IS '{}'",
            columns.join(", "),
            self.comment.replace('\'', "''"),
        )
    }

    /// The primary key and the indexes.
    pub fn index(&self, schema: &str) -> String {
        let name = self.name;
        let mut sql = format!(
            "ALTER TABLE {schema}.{name} ADD CONSTRAINT {name}_pkey PRIMARY KEY ({})",
            self.key_list()
        );
        for (suffix, definition) in self.indexes {
            sql += &format!("; CREATE INDEX {name}_{suffix} ON {schema}.{name} {definition}");
        }
        sql
    }

    /// The one statement that writes a fold of any size.
    pub fn upsert(&self, schema: &str) -> String {
        let of = |make: &dyn Fn(usize, &Column) -> String| {
            let list: Vec<_> = self.columns.iter().enumerate().map(|(i, c)| make(i, c)).collect();
            list.join(", ")
        };
        let arrays = of(&|i, c| format!("${}::{}", i + 1, c.kind.array()));
        let cells = of(&|_, c| format!("u.{}{}", c.name, c.kind.cast()));
        let changes: Vec<_> = self
            .columns
            .iter()
            .filter_map(|column| {
                let name = column.name;
                match column.merge {
                    Merge::Key | Merge::Once => None,
                    Merge::Sum => Some(format!("{name} = t.{name} + excluded.{name}")),
                    Merge::Last => Some(format!("{name} = COALESCE(excluded.{name}, t.{name})")),
                    Merge::Latest => Some(format!("{name} = GREATEST(t.{name}, excluded.{name})")),
                }
            })
            .collect();
        let columns = self.column_list();
        let conflict = match changes.is_empty() {
            // A row that is there already is a fault, and a fault must not be swallowed.
            true => String::new(),
            false => {
                format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.key_list(), changes.join(", "))
            }
        };
        format!(
            "INSERT INTO {schema}.{} AS t ({columns}) SELECT {cells} \
             FROM unnest({arrays}) AS u ({columns}){conflict}",
            self.name
        )
    }

    /// Empty arrays for [`Table::upsert`].
    pub fn arrays(&self) -> Arrays {
        Arrays::new(self.columns.iter().map(|column| column.kind.cells()).collect())
    }

    /// `COPY … FROM STDIN` in the text format.
    pub fn copy_in(&self, schema: &str) -> String {
        format!("COPY {schema}.{} ({}) FROM STDIN", self.name, self.column_list())
    }

    /// The columns as text that is equal where the values are equal: a NUMERIC's scale depends on
    /// what it was added up from, its value does not.
    pub fn canonical(&self) -> String {
        let cells: Vec<_> = self
            .columns
            .iter()
            .map(|column| match column.kind {
                Kind::Number if self.life != Life::Appended => {
                    format!("trim_scale({})", column.name)
                }
                _ => column.name.to_owned(),
            })
            .collect();
        cells.join(", ")
    }

    /// `COPY … TO STDOUT` of canonical lines; `filter` is a condition without parameters.
    pub fn copy_out(&self, schema: &str, filter: &str) -> String {
        let (cells, name) = (self.canonical(), self.name);
        format!("COPY (SELECT {cells} FROM {schema}.{name} WHERE {filter}) TO STDOUT")
    }
}

/// Binds the columns of a fold to its statement.
pub fn bind(sql: &str, columns: Vec<Cells>) -> Query<'_, Postgres, PgArguments> {
    columns.into_iter().fold(query(sql), |query, cells| match cells {
        Cells::Text(cells) => query.bind(cells),
        Cells::Int(cells) => query.bind(cells),
        Cells::Time(cells) => query.bind(cells),
        Cells::Day(cells) => query.bind(cells),
        Cells::Flag(cells) => query.bind(cells),
    })
}
