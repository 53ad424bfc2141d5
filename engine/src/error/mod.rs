//! The one error type that crosses crate boundaries, and its mapping to SQLSTATE.
//!
//! Messages follow PostgreSQL: the primary message is lower-case, one line, without a full stop, and names
//! the kind of object; detail and hint are whole sentences. A function of `udfs/` returns an [`Error`] inside
//! [`DataFusionError::External`] and [`Error::from`] finds it again however deep DataFusion has wrapped it.

mod foreign;

use std::error::Error as StdError;
use std::fmt;

use datafusion::error::DataFusionError;

pub(crate) use foreign::find_store;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as coarse as a client program can react to it. Each kind has its SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    Syntax,
    UndefinedTable,
    DuplicateTable,
    UndefinedColumn,
    InvalidColumnReference,
    AmbiguousColumn,
    DuplicateColumn,
    UndefinedFunction,
    UndefinedObject,
    DuplicateObject,
    DependentObjects,
    ReservedName,
    InvalidGrant,
    ObjectInUse,
    WrongObjectType,
    InvalidTableDefinition,
    DatatypeMismatch,
    UndefinedSchema,
    UndefinedDatabase,
    UndefinedParameter,
    IndeterminateType,
    InvalidName,
    CannotChange,
    NullNotAllowed,
    DuplicateSchema,
    NotSupported,
    InsufficientPrivilege,
    InvalidPassword,
    InvalidAuthorization,
    SerializationFailure,
    FailedTransaction,
    ActiveTransaction,
    NoActiveTransaction,
    ReadOnlyTransaction,
    UndefinedSavepoint,
    UndefinedStatement,
    UndefinedPortal,
    DuplicateStatement,
    DuplicatePortal,
    InvalidCursor,
    PortalNotRunnable,
    ProtocolViolation,
    CardinalityViolation,
    GroupingError,
    DivisionByZero,
    NumericOutOfRange,
    InvalidText,
    /// An array of another length or depth than was asked for.
    ArraySubscript,
    InvalidDatetime,
    DatetimeOutOfRange,
    /// An offset that no time zone has.
    ZoneOffsetOutOfRange,
    InvalidBinary,
    InvalidLimit,
    InvalidOffset,
    ProgramLimitExceeded,
    /// Bytes that are no text in the client's encoding.
    InvalidEncoding,
    /// Text that the client's encoding has no bytes for.
    UntranslatableText,
    BadCopyFormat,
    StringTooLong,
    InvalidArgument,
    InvalidEscapeSequence,
    InvalidRegularExpression,
    NotNullViolation,
    UniqueViolation,
    CheckViolation,
    OutOfMemory,
    DiskFull,
    LimitExceeded,
    StatementTooComplex,
    TooManyColumns,
    TooManyConnections,
    Cancelled,
    ShuttingDown,
    IdleSessionTimeout,
    IdleTransactionTimeout,
    StorageIo,
    /// The store did not say whether it took a commit.
    OutcomeUnknown,
    ForeignSystem,
    DataCorrupted,
    Internal,
}

impl ErrorKind {
    /// The five characters that drivers branch on.
    pub fn sqlstate(self) -> &'static str {
        use ErrorKind::*;
        match self {
            Syntax => "42601",
            UndefinedTable => "42P01",
            DuplicateTable => "42P07",
            UndefinedColumn => "42703",
            InvalidColumnReference => "42P10",
            AmbiguousColumn => "42702",
            DuplicateColumn => "42701",
            UndefinedFunction => "42883",
            UndefinedObject => "42704",
            DuplicateObject => "42710",
            DependentObjects => "2BP01",
            ReservedName => "42939",
            InvalidGrant => "0LP01",
            ObjectInUse => "55006",
            WrongObjectType => "42809",
            InvalidTableDefinition => "42P16",
            DatatypeMismatch => "42804",
            UndefinedSchema => "3F000",
            UndefinedDatabase => "3D000",
            UndefinedParameter => "42P02",
            IndeterminateType => "42P18",
            InvalidName => "42602",
            CannotChange => "55P02",
            NullNotAllowed => "22004",
            DuplicateSchema => "42P06",
            NotSupported => "0A000",
            InsufficientPrivilege => "42501",
            InvalidPassword => "28P01",
            InvalidAuthorization => "28000",
            SerializationFailure => "40001",
            FailedTransaction => "25P02",
            ActiveTransaction => "25001",
            NoActiveTransaction => "25P01",
            ReadOnlyTransaction => "25006",
            UndefinedSavepoint => "3B001",
            UndefinedStatement => "26000",
            UndefinedPortal => "34000",
            DuplicateStatement => "42P05",
            DuplicatePortal => "42P03",
            InvalidCursor => "42P11",
            PortalNotRunnable => "55000",
            ProtocolViolation => "08P01",
            CardinalityViolation => "21000",
            GroupingError => "42803",
            DivisionByZero => "22012",
            NumericOutOfRange => "22003",
            InvalidText => "22P02",
            ArraySubscript => "2202E",
            InvalidDatetime => "22007",
            DatetimeOutOfRange => "22008",
            ZoneOffsetOutOfRange => "22009",
            InvalidBinary => "22P03",
            InvalidLimit => "2201W",
            InvalidOffset => "2201X",
            ProgramLimitExceeded => "54000",
            InvalidEncoding => "22021",
            UntranslatableText => "22P05",
            BadCopyFormat => "22P04",
            StringTooLong => "22001",
            InvalidArgument => "22023",
            InvalidEscapeSequence => "22025",
            InvalidRegularExpression => "2201B",
            NotNullViolation => "23502",
            UniqueViolation => "23505",
            CheckViolation => "23514",
            OutOfMemory => "53200",
            DiskFull => "53100",
            LimitExceeded => "53400",
            StatementTooComplex => "54001",
            TooManyColumns => "54011",
            TooManyConnections => "53300",
            Cancelled => "57014",
            ShuttingDown => "57P01",
            IdleSessionTimeout => "57P05",
            IdleTransactionTimeout => "25P03",
            StorageIo | OutcomeUnknown => "58030",
            ForeignSystem => "HV000",
            DataCorrupted => "XX001",
            Internal => "XX000",
        }
    }

    /// Whether one row, rather than the whole file or statement, is to blame.
    pub fn concerns_a_row(self) -> bool {
        use ErrorKind::*;
        matches!(
            self,
            DivisionByZero
                | NumericOutOfRange
                | InvalidText
                | InvalidDatetime
                | DatetimeOutOfRange
                | ZoneOffsetOutOfRange
                | InvalidEncoding
                | StringTooLong
                | InvalidArgument
                | NotNullViolation
                | UniqueViolation
                | CheckViolation
        )
    }
}

/// The object that an error is about, for programs that tell constraints apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub constraint: Option<String>,
}

/// An error with what a person needs to act on it. Boxed, so that `Result<T>` stays small.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    /// 1-based character offset into the statement.
    position: Option<usize>,
    /// Where it happened, as PostgreSQL's CONTEXT tells it.
    context: Option<String>,
    subject: Option<Subject>,
    /// The row of the input to blame, by the number it came with.
    row: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            context: None,
            subject: None,
            row: None,
            source: None,
        }))
    }

    pub fn syntax(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Syntax, message)
    }

    pub fn not_supported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotSupported, message)
    }

    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// A state that only a bug of ours can reach.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn with_position(mut self, position: usize) -> Self {
        self.0.position = Some(position);
        self
    }

    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.0.context = Some(context.into());
        self
    }

    #[must_use]
    pub fn with_subject(mut self, subject: Subject) -> Self {
        self.0.subject = Some(subject);
        self
    }

    #[must_use]
    pub fn with_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts `context` and a colon before the message: `file "a.csv": …`.
    #[must_use]
    pub fn in_context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub fn sqlstate(&self) -> &'static str {
        self.0.kind.sqlstate()
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    pub fn context(&self) -> Option<&str> {
        self.0.context.as_deref()
    }

    pub fn subject(&self) -> Option<&Subject> {
        self.0.subject.as_ref()
    }

    pub fn row(&self) -> Option<u64> {
        self.0.row
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl Clone for Error {
    /// Everything but the source, which is for logs only.
    fn clone(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            detail: self.0.detail.clone(),
            hint: self.0.hint.clone(),
            position: self.0.position,
            context: self.0.context.clone(),
            subject: self.0.subject.clone(),
            row: self.0.row,
            source: None,
        }))
    }
}

/// So that a function, a provider or a stream inside DataFusion can fail with one of ours.
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}
