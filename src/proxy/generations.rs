//! Which generation a running request got: what recovery asks the upstream for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::PgPool;
use tollgate_domain::ids::{MasterAccountId, ReservationId};

/// Requests that end sooner leave no note: their settlement carries the handle itself.
const WORTH_A_NOTE: Duration = Duration::from_millis(100);

/// Handles of requests that are under way; long ones are written down, in batches.
#[derive(Debug, Clone, Default)]
pub struct GenerationNotes(Arc<Mutex<HashMap<ReservationId, Note>>>);

#[derive(Debug)]
struct Note {
    generation: String,
    master_account: MasterAccountId,
    since: Instant,
    written: bool,
}

impl GenerationNotes {
    /// Takes note of a request's handle as soon as the header is here.
    pub fn note(&self, reservation: ReservationId, generation: &str, master: MasterAccountId) {
        let generation = generation.to_owned();
        let note =
            Note { generation, master_account: master, since: Instant::now(), written: false };
        self.0.lock().insert(reservation, note);
    }

    /// The request has ended.
    pub fn forget(&self, reservation: ReservationId) {
        self.0.lock().remove(&reservation);
    }

    /// Writes down what has been under way for a while.
    ///
    /// # Errors
    /// The database cannot be reached; the next call tries again.
    pub async fn write(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let due: Vec<(ReservationId, String, MasterAccountId)> = self
            .0
            .lock()
            .iter()
            .filter(|(_, note)| !note.written && note.since.elapsed() >= WORTH_A_NOTE)
            .map(|(id, note)| (*id, note.generation.clone(), note.master_account))
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO generations (reservation_id, generation_id, master_account_id)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
             ON CONFLICT (reservation_id) DO NOTHING",
        )
        .bind(due.iter().map(|(id, ..)| id.to_string()).collect::<Vec<_>>())
        .bind(due.iter().map(|(_, generation, _)| generation.as_str()).collect::<Vec<_>>())
        .bind(due.iter().map(|(.., master)| master.to_string()).collect::<Vec<_>>())
        .execute(pool)
        .await?;
        let mut notes = self.0.lock();
        for (id, ..) in due {
            if let Some(note) = notes.get_mut(&id) {
                note.written = true;
            }
        }
        Ok(())
    }
}
