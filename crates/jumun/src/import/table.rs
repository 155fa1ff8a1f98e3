//! A file into rows of text. A row that is broken costs itself and no other: a quotation mark that is never closed does not
//! swallow the rest of the file.

/// No quoted field goes over more lines.
const LINES_MAX: usize = 20;

/// One row, with the number of the line it begins in (the header is line 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) fields: Vec<String>,
}

/// The header and the rows; `broken` have another number of columns than the header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) broken: Vec<(Row, String)>,
}

/// UTF-8, or what is not: then it is Latin-1, in which every byte is a character.
pub(super) fn decode(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// Reads all rows.
pub(super) fn read(text: &str) -> Table {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let mut table = Table::default();
    let Some(first) = lines.iter().position(|line| !line.trim().is_empty()) else { return table };
    table.header = fields(lines[first]).unwrap_or_default();
    let columns = table.header.len();
    let mut at = first + 1;
    while at < lines.len() {
        if lines[at].trim().is_empty() {
            at += 1;
            continue;
        }
        let number = at as u64 + 1;
        let alone = fields(lines[at]).unwrap_or_else(|| vec![lines[at].to_owned()]);
        if alone.len() == columns {
            table.rows.push(Row { number, fields: alone });
            at += 1;
        } else if let Some((fields, more)) = over_several_lines(&lines[at..], columns) {
            table.rows.push(Row { number, fields });
            at += more;
        } else {
            let reason = format!("the line has {} columns, the header {columns}", alone.len());
            table.broken.push((Row { number, fields: alone }, reason));
            at += 1;
        }
    }
    table
}

/// A row whose quoted field goes on in the next lines, and how many lines it has.
fn over_several_lines(lines: &[&str], columns: usize) -> Option<(Vec<String>, usize)> {
    let mut text = (*lines.first()?).to_owned();
    if !is_open(&text) {
        return None;
    }
    for (index, line) in lines.iter().enumerate().take(LINES_MAX).skip(1) {
        text.push('\n');
        text.push_str(line);
        if is_open(&text) {
            continue;
        }
        return fields(&text).filter(|fields| fields.len() == columns).map(|fields| (fields, index + 1));
    }
    None
}

fn is_open(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

/// The fields of one row; `None` when the text is not exactly one row.
fn fields(text: &str) -> Option<Vec<String>> {
    if !text.contains('"') {
        return Some(text.split(',').map(str::to_owned).collect());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = reader.records();
    let row = rows.next()?.ok()?;
    rows.next().is_none().then(|| row.iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, fields: &[&str]) -> Row {
        Row { number, fields: fields.iter().map(|field| (*field).to_owned()).collect() }
    }

    #[test]
    fn rows_have_the_numbers_of_their_lines() {
        let table = read("a,b\r\n1,2\r\n\r\n3,\"4, and \"\"5\"\"\"\r\n\"6\r\n7\",8\r\n9,10\r\n");
        assert_eq!(table.header, ["a", "b"]);
        assert_eq!(
            table.rows,
            [
                row(2, &["1", "2"]),
                row(4, &["3", "4, and \"5\""]),
                row(5, &["6\n7", "8"]),
                row(7, &["9", "10"])
            ]
        );
        assert_eq!(table.broken, []);
    }

    #[test]
    fn a_broken_row_costs_itself_only() {
        let table = read("a,b\n\"never closed,1\n2,3\nfour\n5,6,7\n8,12\" wide\n9,10");
        assert_eq!(table.rows, [row(3, &["2", "3"]), row(6, &["8", "12\" wide"]), row(7, &["9", "10"])]);
        let broken: Vec<_> = table.broken.iter().map(|(row, _)| row.number).collect();
        assert_eq!(broken, [2, 4, 5]);
        assert_eq!(table.broken[1].1, "the line has 1 columns, the header 2");
    }

    #[test]
    fn a_file_without_rows_is_empty() {
        assert_eq!(read(""), Table::default());
        assert_eq!(read("a,b\n").rows, []);
    }

    #[test]
    fn both_encodings_are_read() {
        assert_eq!(decode("caf\u{e9} 운동화".as_bytes().to_vec()), "caf\u{e9} 운동화");
        assert_eq!(decode(b"caf\xe9 \xa3".to_vec()), "caf\u{e9} \u{a3}");
        assert_eq!(decode(b"\xef\xbb\xbfa,b".to_vec()), "a,b");
    }
}
