//! `[intake]`: what is pushed to the server, how long it may wait, and how much of it may.

use std::time::Duration;

use anyhow::bail;
use selvedge_gate::GateSettings;
use selvedge_jobs::LaneSettings;
use serde::Deserialize;

const MIB: u64 = 1 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IntakeSection {
    /// A table is loaded when a record has waited so long …
    load_after_seconds: u64,
    /// … or when so many wait …
    load_records: u64,
    /// … or so many MiB.
    load_mib: u64,
    /// Tables loaded at the same time; one account gets half.
    concurrency: usize,
    /// Memory for bodies that are being received, in MiB; one account gets half.
    memory_mib: u64,
    /// What one account may have waiting on the disk, in MiB. Any amount by default.
    quota_mib: Option<u64>,
    /// Nothing is accepted while less is free on the disk, in MiB.
    reserve_mib: u64,
    /// What could not be loaded for so long is dropped.
    retention_days: u64,
}

impl Default for IntakeSection {
    fn default() -> Self {
        Self {
            load_after_seconds: 60,
            load_records: 100_000,
            load_mib: 100,
            concurrency: 4,
            memory_mib: 256,
            quota_mib: None,
            reserve_mib: 256,
            retention_days: 30,
        }
    }
}

/// The section, checked.
#[derive(Clone, Debug)]
pub(crate) struct IntakeSettings {
    section: IntakeSection,
}

impl IntakeSettings {
    pub(super) fn check(section: IntakeSection) -> anyhow::Result<Self> {
        let positive = section.load_records > 0
            && section.load_mib > 0
            && section.concurrency > 0
            && section.retention_days > 0;
        if !positive {
            bail!(
                "intake.load_records, intake.load_mib, intake.concurrency and intake.retention_days must be at least 1"
            );
        }
        // Two accounts with a whole body each.
        if section.memory_mib < 40 {
            bail!("intake.memory_mib must be at least 40");
        }
        Ok(Self { section })
    }

    pub(crate) fn gate(&self) -> GateSettings {
        GateSettings {
            memory_bytes: bytes(self.section.memory_mib),
            version: env!("CARGO_PKG_VERSION"),
            ..GateSettings::default()
        }
    }

    pub(crate) fn lanes(&self) -> LaneSettings {
        LaneSettings {
            load_after: Duration::from_secs(self.section.load_after_seconds),
            load_records: self.section.load_records,
            load_bytes: self.section.load_mib.saturating_mul(MIB),
            concurrency: self.section.concurrency,
            retention: self.retention(),
        }
    }

    fn retention(&self) -> Duration {
        Duration::from_secs(self.section.retention_days.saturating_mul(86_400))
    }

    pub(crate) fn log(&self) -> selvedge_spool::Settings {
        selvedge_spool::Settings {
            quota_bytes: self.section.quota_mib.map(|mib| mib.saturating_mul(MIB)),
            reserve_bytes: self.section.reserve_mib.saturating_mul(MIB),
            retention: self.retention(),
            ..selvedge_spool::Settings::default()
        }
    }
}

fn bytes(mib: u64) -> usize {
    usize::try_from(mib.saturating_mul(MIB)).unwrap_or(usize::MAX)
}
