//! Which generation a running request got: what recovery asks the upstream for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::Notify;
use tollgate_domain::ids::{MasterAccountId, ReservationId};

/// Requests that end sooner leave no note: their settlement carries the handle itself, and is on
/// its way to the same disk. A note for each of them would be a third write.
const WORTH_A_NOTE: Duration = Duration::from_millis(5);
/// What waits goes in one statement, up to this much.
const MOST_AT_ONCE: usize = 4_096;

/// Handles of requests that are under way.
///
/// One that lasts longer than a few milliseconds is written down at once, together with all others
/// that wait: there is no interval, and while one statement runs the next ones gather.
#[derive(Debug, Clone, Default)]
pub struct GenerationNotes(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    notes: Mutex<Notes>,
    /// There is something to wait for.
    news: Notify,
}

#[derive(Debug, Default)]
struct Notes {
    open: HashMap<ReservationId, Note>,
    /// Not written yet, the oldest first; some of them have ended.
    fresh: VecDeque<(Instant, ReservationId)>,
}

#[derive(Debug)]
struct Note {
    generation: String,
    master_account: MasterAccountId,
}

impl GenerationNotes {
    /// Takes note of a request's handle as soon as the header is here.
    pub fn note(&self, reservation: ReservationId, generation: &str, master: MasterAccountId) {
        let note = Note { generation: generation.to_owned(), master_account: master };
        let mut notes = self.0.notes.lock();
        notes.open.insert(reservation, note);
        notes.fresh.push_back((Instant::now(), reservation));
        if notes.fresh.len() == 1 {
            self.0.news.notify_one();
        }
    }

    /// The request has ended.
    pub fn forget(&self, reservation: ReservationId) {
        self.0.notes.lock().open.remove(&reservation);
    }

    /// Returns when there is something to write.
    pub async fn due(&self) {
        loop {
            let oldest = self.0.notes.lock().fresh.front().map(|(since, _)| *since);
            match oldest {
                Some(since) => {
                    return tokio::time::sleep_until((since + WORTH_A_NOTE).into()).await;
                }
                None => self.0.news.notified().await,
            }
        }
    }

    /// Writes down what has been under way for a while.
    ///
    /// # Errors
    /// The database cannot be reached; the next call tries again.
    pub async fn write(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let due = self.take_due();
        if due.is_empty() {
            return Ok(());
        }
        let written = sqlx::query(
            "INSERT INTO generations (reservation_id, generation_id, master_account_id)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
             ON CONFLICT (reservation_id) DO NOTHING",
        )
        .bind(due.iter().map(|(_, id, ..)| id.to_string()).collect::<Vec<_>>())
        .bind(due.iter().map(|(_, _, generation, _)| generation.as_str()).collect::<Vec<_>>())
        .bind(due.iter().map(|(.., master)| master.to_string()).collect::<Vec<_>>())
        .execute(pool)
        .await;
        if let Err(error) = written {
            let mut notes = self.0.notes.lock();
            for (since, id, ..) in due.into_iter().rev() {
                notes.fresh.push_front((since, id));
            }
            return Err(error);
        }
        Ok(())
    }

    /// What is due and has not ended meanwhile.
    fn take_due(&self) -> Vec<(Instant, ReservationId, String, MasterAccountId)> {
        let mut due = Vec::new();
        let mut notes = self.0.notes.lock();
        while due.len() < MOST_AT_ONCE
            && let Some((since, id)) = notes.fresh.front().copied()
            && since.elapsed() >= WORTH_A_NOTE
        {
            notes.fresh.pop_front();
            if let Some(note) = notes.open.get(&id) {
                due.push((since, id, note.generation.clone(), note.master_account));
            }
        }
        due
    }
}
