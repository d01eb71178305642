//! What becomes of the bytes that a tap writes to stdout.

use std::time::Duration;

use selvedge_connector::{ConnectorError, ErrorKind, TapContext, TapEvent, TapSender};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::limits::{TapLimits, ran_too_long, spoken_bytes};
use crate::log::TapLog;
use crate::{Decoder, MessageLimits};

/// Whether more is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// Nothing more is wanted, and that is no failure of the run's process.
    Over,
}

/// Takes what a tap writes. An error ends the tap and is the run's outcome.
pub(crate) trait Output: Send + 'static {
    /// Room for the next bytes, never empty.
    fn buffer(&mut self) -> &mut [u8];
    /// So many bytes were read into it.
    fn filled(&mut self, count: usize) -> Result<Flow, ConnectorError>;
    /// The tap says nothing for the moment.
    fn quiet(&mut self) -> Result<Flow, ConnectorError>;
    /// The tap has said everything, and ended well.
    fn end(&mut self) -> Result<Flow, ConnectorError>;
}

/// Messages, decoded and sent to the engine.
pub(crate) struct Decoded {
    decoder: Decoder,
    out: TapSender,
    runtime: Handle,
    stop: CancellationToken,
    log: TapLog,
    /// When the tap's time is over, and how long it was.
    limit: Option<(Instant, Duration)>,
}

impl Decoded {
    /// To be made within the runtime, when the tap is about to start.
    pub(crate) fn new(
        limits: &TapLimits,
        messages: MessageLimits,
        ctx: TapContext,
        out: TapSender,
        log: TapLog,
    ) -> Self {
        Self {
            decoder: Decoder::new(messages, ctx.batch_bytes),
            out,
            runtime: Handle::current(),
            stop: ctx.stop,
            log,
            limit: limits.total.map(|total| (Instant::now() + total, total)),
        }
    }

    fn hand_on(&mut self) -> Result<Flow, ConnectorError> {
        loop {
            for (level, text) in self.decoder.take_notes() {
                self.log.say(level, &text);
            }
            for event in self.decoder.take_events() {
                self.send(event)?;
            }
            if self.decoder.is_over() {
                return Ok(Flow::Over);
            }
            if !self.decoder.proceed() {
                return Ok(Flow::Continue);
            }
        }
    }

    fn send(&self, event: TapEvent) -> Result<(), ConnectorError> {
        let event = self.without_secrets(event);
        self.runtime.block_on(async {
            tokio::select! {
                sent = self.out.send(event) => sent,
                // Nobody may be listening any more who would make room.
                () = self.stop.cancelled() => Err(ConnectorError::stopped()),
                // Nor does a destination that takes nothing give a tap more time.
                total = self.time_is_over() => Err(ran_too_long(total)),
            }
        })
    }

    async fn time_is_over(&self) -> Duration {
        match self.limit {
            Some((end, total)) => {
                sleep_until(end).await;
                total
            }
            None => std::future::pending().await,
        }
    }

    /// A fault may quote the line that it is about.
    fn without_secrets(&self, event: TapEvent) -> TapEvent {
        match event {
            TapEvent::Fault(error) => TapEvent::Fault(self.log.redactor.redact_error(error)),
            event => event,
        }
    }
}

impl Output for Decoded {
    fn buffer(&mut self) -> &mut [u8] {
        self.decoder.buffer()
    }

    fn filled(&mut self, count: usize) -> Result<Flow, ConnectorError> {
        self.decoder.filled(count);
        self.hand_on()
    }

    fn quiet(&mut self) -> Result<Flow, ConnectorError> {
        self.decoder.flush();
        self.hand_on()
    }

    fn end(&mut self) -> Result<Flow, ConnectorError> {
        self.decoder.end();
        self.hand_on()
    }
}

/// Everything, up to a limit.
pub(crate) struct Collected {
    text: Vec<u8>,
    filled: usize,
    limit: usize,
}

impl Collected {
    const STEP: usize = 64 << 10;

    pub(crate) fn new(limit: usize) -> Self {
        Self {
            text: Vec::new(),
            filled: 0,
            limit,
        }
    }

    pub(crate) fn into_text(mut self) -> Vec<u8> {
        self.text.truncate(self.filled);
        self.text
    }
}

impl Output for Collected {
    fn buffer(&mut self) -> &mut [u8] {
        if self.text.len() - self.filled < Self::STEP {
            self.text.resize(self.filled + 2 * Self::STEP, 0);
        }
        self.text.get_mut(self.filled..).unwrap_or_default()
    }

    fn filled(&mut self, count: usize) -> Result<Flow, ConnectorError> {
        self.filled = (self.filled + count).min(self.text.len());
        if self.filled > self.limit {
            let limit = spoken_bytes(self.limit as u64);
            return Err(ConnectorError::new(
                ErrorKind::Data,
                format!("the tap printed a catalogue of more than {limit}"),
            ));
        }
        Ok(Flow::Continue)
    }

    fn quiet(&mut self) -> Result<Flow, ConnectorError> {
        Ok(Flow::Continue)
    }

    fn end(&mut self) -> Result<Flow, ConnectorError> {
        Ok(Flow::Continue)
    }
}
