//! One action on many alerts, in one transaction.

use super::{Alerts, NAME, delete, save_action};
use crate::{
    domain::{
        alert::Alert,
        body::Strictness,
        caller::WriteAccess,
        mass_action::{MassAction, MassStep},
        rejection::Rejection,
    },
    service::{error::ServiceError, objects},
    store::{ALERTS, Stored},
};

impl Alerts {
    /// The size in bytes of the alerts that an action would return.
    ///
    /// # Errors
    /// One of them is not in this account; the store failed.
    pub fn bytes_of_all(
        &self,
        writer: &WriteAccess,
        action: &MassAction,
    ) -> Result<usize, ServiceError> {
        action.alert_ids.iter().try_fold(0_usize, |sum, id| {
            Ok(sum.saturating_add(self.bytes(writer, id)?))
        })
    }

    /// Applies an action to each alert, or to none, and returns their new records in the order of
    /// the request. Deleted alerts are returned as they were.
    ///
    /// # Errors
    /// All alerts that are not in this account or whose status does not allow the action; the store
    /// failed.
    pub async fn apply_to_all(
        &self,
        writer: &WriteAccess,
        action: MassAction,
        strictness: Strictness,
    ) -> Result<Vec<Stored>, ServiceError> {
        let (writer, clock) = (writer.clone(), self.clock.clone());
        let outcome = self.store.write(move |transaction| {
            let now = clock.now_in(writer.account());
            let mut errors = Vec::new();
            let mut records = Vec::new();

            for id in &action.alert_ids {
                let (mut alert, current): (Alert, _) =
                    objects::owned(transaction, ALERTS, writer.account(), id.as_str(), NAME)?;
                match action.step {
                    MassStep::Delete => {
                        delete(transaction, &alert)?;
                        records.push(current);
                    }
                    MassStep::Apply(step) => {
                        match alert.apply_action(step, writer.actor(), now, strictness) {
                            Ok(()) => records.push(save_action(transaction, &alert, step)?),
                            Err(error) => errors.push(format!("{id}: {error}")),
                        }
                    }
                }
            }

            // Failing discards the changes of the others.
            match errors.is_empty() {
                true => Ok(records),
                false => Err(Rejection::Invalid(errors).into()),
            }
        });
        let outcome = outcome.await;
        self.dispatch_signal.notify();
        outcome
    }
}
