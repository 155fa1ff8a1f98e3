//! The lines that were not played, each with its reason, in a file of the same form as the one they came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What is put before the columns of the original.
const COLUMNS: [&str; 3] = ["line", "invoice", "reason"];

/// The file as text: number, invoice and reason, then the line as it came.
pub(super) fn text(
    header: &[String],
    rows: &BTreeMap<u64, (String, Vec<String>)>,
    rejected: &BTreeMap<u64, String>,
) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(COLUMNS.iter().copied().chain(header.iter().map(String::as_str)))?;
    for (number, reason) in rejected {
        let (invoice, fields) = rows.get(number).cloned().unwrap_or_default();
        let first = [number.to_string(), invoice, reason.clone()];
        writer.write_record(first.into_iter().chain(fields))?;
    }
    writer.into_inner().context("the rejected lines cannot be written")
}

/// Writes them where they were asked for, or to a free place of that name: nothing that somebody else has written is lost.
pub(super) fn write(asked: Option<&Path>, default: &Path, input: &Path, text: &[u8]) -> Result<PathBuf> {
    let path = match asked {
        Some(path) => path.to_owned(),
        None => free(default)?,
    };
    if path.canonicalize().ok().is_some_and(|path| input.canonicalize().ok() == Some(path)) {
        bail!("the rejected lines would overwrite {}", input.display());
    }
    if std::fs::read(&path).is_ok_and(|before| before == text) {
        return Ok(path);
    }
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// A path that is not taken, or taken by rejected lines of an earlier run.
fn free(default: &Path) -> Result<PathBuf> {
    let ours = |path: &Path| match std::fs::read(path) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(bytes) => bytes.starts_with(COLUMNS.join(",").as_bytes()),
    };
    for number in 1..100 {
        let path = match number {
            1 => default.to_owned(),
            _ => PathBuf::from(format!("{}.{number}", default.display())),
        };
        if ours(&path) {
            return Ok(path);
        }
    }
    bail!("{} exists already, and is no file of rejected lines: choose one with --rejects", default.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_stands_there_with_its_number_and_reason() {
        let header = ["InvoiceNo".to_owned(), "StockCode".to_owned()];
        let rows = BTreeMap::from([
            (2, ("1".to_owned(), vec!["1".to_owned(), "A, \"B\"".to_owned()])),
            (3, ("2".to_owned(), vec!["2".to_owned()])),
        ]);
        let rejected = BTreeMap::from([(2, "because".to_owned()), (3, "short".to_owned())]);
        let text = String::from_utf8(text(&header, &rows, &rejected).unwrap()).unwrap();
        assert_eq!(
            text,
            "line,invoice,reason,InvoiceNo,StockCode\n2,1,because,1,\"A, \"\"B\"\"\"\n3,2,short,2\n"
        );
    }

    #[test]
    fn a_file_of_somebody_else_is_not_overwritten() {
        let folder = std::env::temp_dir().join(format!("jumun-rejects-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).unwrap();
        let (default, input) = (folder.join("x.rejected.csv"), folder.join("x"));
        std::fs::write(&input, "input").unwrap();
        std::fs::write(&default, "precious").unwrap();
        let written = write(None, &default, &input, b"line,invoice,reason\n").unwrap();
        assert_eq!(written, folder.join("x.rejected.csv.2"));
        assert_eq!(std::fs::read(&default).unwrap(), b"precious");
        let again = write(None, &default, &input, b"line,invoice,reason\n1\n").unwrap();
        assert_eq!(again, written, "a later run of the same import takes its place");
        assert!(write(Some(&input), &default, &input, b"line").is_err());
        assert_eq!(std::fs::read(&input).unwrap(), b"input");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
