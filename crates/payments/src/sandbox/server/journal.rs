//! The ledger's file: one entry a line. A thread of its own writes everything that waits and flushes it with one call, so that
//! many calls at once share a flush, and no call keeps others from running.

use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Result, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc;

use tokio::sync::watch;

/// The end of a file that is written to.
#[derive(Debug)]
pub(super) struct Journal {
    lines: mpsc::Sender<Vec<u8>>,
    given: u64,
    flushed: watch::Receiver<Flushed>,
}

/// How much is on the disk.
#[derive(Debug, Clone, Copy, Default)]
struct Flushed {
    writes: u64,
    /// Nothing more can be written: memory is ahead of the disk.
    broken: bool,
}

/// What must be on the disk before something is answered.
#[derive(Debug, Clone)]
pub(super) struct Place {
    writes: u64,
    flushed: watch::Receiver<Flushed>,
}

impl Place {
    /// Waits until it is there.
    pub(super) async fn flushed(mut self) -> Result<()> {
        let there = |flushed: &Flushed| flushed.broken || flushed.writes >= self.writes;
        match self.flushed.wait_for(there).await {
            Ok(flushed) if flushed.writes >= self.writes => Ok(()),
            _ => Err(Error::other("the ledger's file cannot be written")),
        }
    }
}

impl Journal {
    /// Opens the file, or makes it. Its whole lines; half a line at the end was never answered, and is cut off.
    pub(super) fn open(path: &Path) -> Result<(Self, String)> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        // Cut before it is decoded: half a line may end in half a character.
        let mut whole = Vec::new();
        file.read_to_end(&mut whole)?;
        whole.truncate(whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        let text = String::from_utf8(whole).map_err(Error::other)?;
        file.set_len(text.len() as u64)?;
        file.seek(SeekFrom::End(0))?;
        let (lines, waiting) = mpsc::channel();
        let (flushed_to, flushed) = watch::channel(Flushed::default());
        std::thread::Builder::new()
            .name("sandbox-ledger".to_owned())
            .spawn(move || write(&mut file, &waiting, &flushed_to))?;
        Ok((Self { lines, given: 0, flushed }, text))
    }

    /// Gives lines to be written, in order.
    pub(super) fn give(&mut self, lines: Vec<u8>) {
        self.given += 1;
        // When the thread is gone it has said so, and nothing is answered any more.
        let _ = self.lines.send(lines);
    }

    /// Everything that was given so far.
    pub(super) fn end(&self) -> Place {
        Place { writes: self.given, flushed: self.flushed.clone() }
    }
}

fn write(file: &mut File, waiting: &mpsc::Receiver<Vec<u8>>, flushed: &watch::Sender<Flushed>) {
    let mut writes = 0;
    while let Ok(mut lines) = waiting.recv() {
        writes += 1;
        for more in waiting.try_iter() {
            writes += 1;
            lines.extend(more);
        }
        if let Err(error) = file.write_all(&lines).and_then(|()| file.sync_data()) {
            tracing::error!(%error, "the sandbox cannot write its ledger");
            flushed.send_modify(|flushed| flushed.broken = true);
            return;
        }
        flushed.send_modify(|flushed| flushed.writes = writes);
    }
}
