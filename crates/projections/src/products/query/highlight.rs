//! Where a name holds what was searched for.

use crate::products::fold;

/// A name as HTML, with `<mark>` around every place that holds one of these folded words.
pub(super) fn highlight(name: &str, words: &[String]) -> String {
    let pieces = pieces(name);
    let folded: Vec<(char, usize)> = letters(&pieces);
    // Where spaces are left out, 에어맥스 is found in 에어 맥스, as the search finds it.
    let unspaced: Vec<(char, usize)> =
        folded.iter().copied().filter(|(character, _)| !character.is_whitespace()).collect();
    let mut marked = vec![false; pieces.len()];
    for word in words {
        let word: Vec<char> = word.chars().collect();
        if !mark(&mut marked, &folded, &word) {
            mark(&mut marked, &unspaced, &word);
        }
    }
    html(&pieces, &marked)
}

/// A name in the smallest pieces that can be folded on their own: letters with their marks, jamo of one syllable.
fn pieces(name: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for character in name.chars() {
        let own = character.to_string();
        match pieces.last_mut() {
            Some(last) if joins(last, &own) => last.push(character),
            _ => pieces.push(own),
        }
    }
    pieces
}

fn joins(before: &str, after: &str) -> bool {
    fold::letters(&format!("{before}{after}")).ne(fold::letters(before).chain(fold::letters(after)))
}

/// The folded letters, each with the number of its piece.
fn letters(pieces: &[String]) -> Vec<(char, usize)> {
    let numbered = pieces.iter().enumerate();
    numbered.flat_map(|(number, piece)| fold::letters(piece).map(move |letter| (letter, number))).collect()
}

/// Marks the pieces of every place that holds the word. Whether there is one.
fn mark(marked: &mut [bool], letters: &[(char, usize)], word: &[char]) -> bool {
    let mut found = false;
    for place in letters.windows(word.len().max(1)) {
        if place.iter().map(|(letter, _)| letter).eq(word) {
            found = true;
            (place[0].1..=place[place.len() - 1].1).for_each(|piece| marked[piece] = true);
        }
    }
    found
}

fn html(pieces: &[String], marked: &[bool]) -> String {
    let mut html = String::new();
    let mut open = false;
    for (piece, marked) in pieces.iter().zip(marked) {
        if *marked != open {
            html.push_str(if *marked { "<mark>" } else { "</mark>" });
            open = *marked;
        }
        piece.chars().for_each(|character| escape(&mut html, character));
    }
    if open {
        html.push_str("</mark>");
    }
    html
}

fn escape(html: &mut String, character: char) {
    match character {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        other => html.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(name: &str, q: &str) -> String {
        highlight(name, &super::super::Terms::parse(q).unwrap().words)
    }

    #[test]
    fn every_place_is_marked_whatever_its_case_and_script() {
        assert_eq!(marked("나이키 에어맥스 운동화", "운동화"), "나이키 에어맥스 <mark>운동화</mark>");
        assert_eq!(
            marked("나이키 에어맥스 운동화", "동화 에어"),
            "나이키 <mark>에어</mark>맥스 운<mark>동화</mark>"
        );
        assert_eq!(marked("Air Max AIR", "air"), "<mark>Air</mark> Max <mark>AIR</mark>");
        assert_eq!(marked("Air", "운동화"), "Air");
    }

    #[test]
    fn neighbours_are_marked_together() {
        assert_eq!(marked("에어맥스", "에어 맥스"), "<mark>에어맥스</mark>");
        assert_eq!(marked("에어 맥스", "에어맥스"), "<mark>에어 맥스</mark>");
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(
            marked("<b>\"Tom & 'Jerry'\"</b>", "tom"),
            "&lt;b&gt;&quot;<mark>Tom</mark> &amp; &#39;Jerry&#39;&quot;&lt;/b&gt;"
        );
        assert_eq!(marked("a<script>b", "<script>"), "a<mark>&lt;script&gt;</mark>b");
        assert_eq!(marked("fish &amp; chips", "amp"), "fish &amp;<mark>amp</mark>; chips");
    }

    #[test]
    fn a_mark_never_cuts_a_letter() {
        // Decomposed jamo, full width, a ligature that stands for two letters, letters with their marks.
        assert_eq!(marked("\u{110b}\u{116e}\u{11ab}동", "운"), "<mark>\u{110b}\u{116e}\u{11ab}</mark>동");
        assert_eq!(marked("Ｎｉｋｅ１０", "nike10"), "<mark>Ｎｉｋｅ１０</mark>");
        assert_eq!(marked("o\u{fb03}ce", "f"), "o<mark>\u{fb03}</mark>ce");
        assert_eq!(marked("Cafe\u{301} noir", "café"), "<mark>Cafe\u{301}</mark> noir");
    }
}
