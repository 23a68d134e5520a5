//! What the event store engine asks of an aggregate beyond cqrs-es's trait.

use cqrs_es::Aggregate;

use crate::journal::Entry;

/// An aggregate that decides without changing anything and evolves without deciding.
///
/// The two halves are apart so that a refused command provably leaves the state alone (INV-6).
pub trait Eventful:
    Aggregate<Services = ()> + Clone + std::fmt::Debug + PartialEq + 'static
{
    /// Command → events, or the reason for refusing.
    ///
    /// # Errors
    /// The aggregate's own error; nothing has changed then.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Event → state. Panics when the event breaks an invariant: history must not contain it.
    fn evolve(&mut self, event: &Self::Event);

    /// Events applied so far; equals the sequence of the last one.
    fn applied(&self) -> u64;

    /// The name of an event, without an allocation.
    fn event_name(event: &Self::Event) -> &'static str;

    /// The current version of an event's payload, such as `"1"`.
    fn event_version(event: &Self::Event) -> &'static str;

    /// The journal entry of an event that moves money; `stream` is the aggregate's id.
    fn entry(stream: &str, event: &Self::Event) -> Option<Entry>;
}

/// The `cqrs_es` glue that every aggregate shares: decide everything first, then write.
macro_rules! cqrs_aggregate {
    ($aggregate:ty, $type:literal, $command:ty, $event:ty, $error:ty) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $type;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                (): &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::Eventful::decide(self, command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                $crate::Eventful::evolve(self, &event);
            }
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                <$aggregate as $crate::Eventful>::event_name(self).to_owned()
            }
            fn event_version(&self) -> String {
                <$aggregate as $crate::Eventful>::event_version(self).to_owned()
            }
        }
    };
}
pub(crate) use cqrs_aggregate;
