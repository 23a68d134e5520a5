//! Labels whose values are all known beforehand.

use std::marker::PhantomData;

/// A value of a label.
pub trait Label: Copy + 'static {
    /// Every value, in the order of [`Label::index`].
    const ALL: &'static [Self];
    /// As it is written.
    fn name(self) -> &'static str;
    /// Its place in [`Label::ALL`].
    fn index(self) -> usize;
}

/// An enum that is a [`Label`].
macro_rules! labels {
    ($(#[$doc:meta])* $vis:vis enum $name:ident {
        $($(#[$of:meta])* $variant:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $crate::telemetry::metrics::labels::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(super) use labels;

/// A handle for each value of a label.
#[derive(Debug)]
pub struct By<L, T> {
    handles: Box<[T]>,
    label: PhantomData<fn(L)>,
}

impl<L: Label, T> By<L, T> {
    pub(super) fn new(make: impl FnMut(&L) -> T) -> Self {
        Self { handles: L::ALL.iter().map(make).collect(), label: PhantomData }
    }

    /// The handle for one value.
    pub fn of(&self, label: L) -> &T {
        &self.handles[label.index()]
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.handles.iter()
    }
}
