//! A kernel around a state that takes rows as they come and merges with others of its kind.

use std::fmt::Debug;

use voxhouse_engine::Error;

use super::{Call, Kernel, Row, Values};

/// What a streaming report remembers.
pub(crate) trait State: Sized + Debug + Send + Sync + 'static {
    fn merge_with(&mut self, other: Self) -> Result<(), Error>;
    fn save(&self) -> Vec<u8>;
    fn load(bytes: &[u8]) -> Result<Self, Error>;
    /// Bytes held.
    fn held(&self) -> usize;
}

/// Implements [`State`] by the methods that the states of the kernels have in common.
macro_rules! state {
    ($state:ty, $merged:ident, $other:ident => $merge:expr) => {
        impl $crate::report::State for $state {
            fn merge_with(&mut self, $other: Self) -> Result<(), voxhouse_engine::Error> {
                let $merged = self;
                $merge
            }

            fn save(&self) -> Vec<u8> {
                self.to_bytes()
            }

            fn load(bytes: &[u8]) -> Result<Self, voxhouse_engine::Error> {
                Ok(Self::from_bytes(bytes)?)
            }

            fn held(&self) -> usize {
                self.size()
            }
        }
    };
}
pub(crate) use state;

#[derive(Debug)]
pub(crate) struct Streaming<S> {
    call: Call,
    state: S,
    read: fn(&Call, &Values, &mut S) -> Result<(), Error>,
    compute: fn(&Call, &mut S) -> Result<Vec<Row>, Error>,
}

impl<S: State> Streaming<S> {
    pub(crate) fn start(
        call: &Call,
        state: S,
        read: fn(&Call, &Values, &mut S) -> Result<(), Error>,
        compute: fn(&Call, &mut S) -> Result<Vec<Row>, Error>,
    ) -> Box<dyn Kernel> {
        Box::new(Self { call: call.clone(), state, read, compute })
    }
}

impl<S: State> Kernel for Streaming<S> {
    fn update(&mut self, values: &Values) -> Result<(), Error> {
        (self.read)(&self.call, values, &mut self.state)
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        self.state.merge_with(S::load(state)?)
    }

    fn save(&self) -> Vec<u8> {
        self.state.save()
    }

    fn answer(&mut self) -> Result<Vec<Row>, Error> {
        (self.compute)(&self.call, &mut self.state)
    }

    fn size(&self) -> usize {
        self.state.held()
    }
}
