//! A report as a document to keep: A4, with charts, tables that go on over pages, and an appendix.
//!
//! Every reader has the fonts, so none is embedded. The same report gives the same bytes.

mod chart;
mod document;
mod font;
mod grid;
mod page;

use pdf_writer::Content;

use self::document::{Bookmark, document};
use self::page::{FOOT, GREY, HAIR, LEFT, Pages, RIGHT, SERIES, Type, write_text};
use super::figures::Units;
use super::model::Report;
use super::sections::{Heading, heading, sections};
use super::sheet::{Fact, Part, Section};

const BODY: Type = Type::regular(9.0);
const LEADING: f32 = 12.0;
const AFTER_PART: f32 = 10.0;
const FOOTER: Type = Type::regular(7.5).in_grey();
/// Single figures in a row.
const MOST_FACTS: usize = 5;
const FACT_HEIGHT: f32 = 48.0;

/// The whole report.
#[must_use]
pub(super) fn pdf(report: &Report) -> Vec<u8> {
    let units = Units::of(report);
    let heading = heading(report);
    let mut pages = Pages::new();
    title(&mut pages, &heading);
    let mut bookmarks = Vec::new();
    for of in sections(report, &units) {
        section(&mut pages, &of, &units, &mut bookmarks);
    }
    let mut pages = pages.finish();
    feet(&mut pages, &heading);
    document(pages, &bookmarks, (&heading.title, &heading.period), report.made_at)
}

fn title(pages: &mut Pages, heading: &Heading) {
    pages.fill((LEFT, pages.y), (36.0, 3.0), SERIES[0]);
    pages.y += 28.0;
    pages.text(LEFT, pages.y, &heading.title, Type::bold(21.0));
    pages.y += 18.0;
    for line in Type::regular(11.0).wrapped(&heading.period, RIGHT - LEFT) {
        pages.text(LEFT, pages.y, &line, Type::regular(11.0));
        pages.y += 14.0;
    }
    pages.text(LEFT, pages.y, &heading.origin, BODY.in_grey());
    pages.y += 8.0;
}

fn section(pages: &mut Pages, section: &Section, units: &Units, bookmarks: &mut Vec<Bookmark>) {
    const TITLE: Type = Type::bold(13.0);
    if section.is_appendix && !pages.is_fresh() {
        pages.break_page();
    }
    // A heading stands with the beginning of what it heads.
    let words = section.parts.iter().take_while(|part| matches!(part, Part::Text(_))).count();
    pages.ensure(34.0 + section.parts.iter().take(words + 1).take(2).map(least_height).sum::<f32>());
    pages.y += if pages.is_fresh() { 4.0 } else { 14.0 };
    bookmarks.push((section.title, pages.index(), pages.y - 4.0));
    pages.text(LEFT, pages.y + 10.0, section.title, TITLE);
    pages.y += 15.0;
    pages.line((LEFT, pages.y), (RIGHT, pages.y), 0.7, HAIR);
    pages.y += 7.0;
    for part in &section.parts {
        match part {
            Part::Text(text) => paragraph(pages, text),
            Part::Facts(facts) => facts.chunks(MOST_FACTS).for_each(|row| fact_row(pages, row)),
            Part::Grid(of) => grid::draw(pages, of, units),
            Part::Chart(of) => chart::draw(pages, of),
        }
        pages.y += match part {
            Part::Text(_) => 5.0,
            _ => AFTER_PART,
        };
    }
}

fn least_height(part: &Part) -> f32 {
    match part {
        Part::Text(text) => BODY.wrapped(text, RIGHT - LEFT).len() as f32 * LEADING + 4.0,
        Part::Facts(_) => FACT_HEIGHT,
        Part::Grid(of) => grid::least_height(of),
        Part::Chart(of) => chart::height(of),
    }
}

fn paragraph(pages: &mut Pages, text: &str) {
    for line in BODY.wrapped(text, RIGHT - LEFT) {
        pages.ensure(LEADING);
        pages.text(LEFT, pages.y + 9.0, &line, BODY);
        pages.y += LEADING;
    }
}

fn fact_row(pages: &mut Pages, facts: &[Fact]) {
    const GAP: f32 = 10.0;
    pages.ensure(FACT_HEIGHT);
    let count = facts.len().max(1) as f32;
    let width = (RIGHT - LEFT - GAP * (count - 1.0)) / count;
    for (index, fact) in facts.iter().enumerate() {
        let x = LEFT + (width + GAP) * index as f32;
        pages.line((x, pages.y), (x + width, pages.y), 1.2, SERIES[0]);
        let small = Type::regular(7.5).in_grey();
        pages.text(x, pages.y + 11.0, &small.shortened(&fact.label, width), small);
        // As large as it fits.
        let sizes = [15.0, 13.0, 11.0, 9.0].map(Type::bold);
        let value = sizes.into_iter().find(|of| of.width(&fact.value) <= width).unwrap_or(Type::bold(7.5));
        pages.text(x, pages.y + 28.0, &value.shortened(&fact.value, width), value);
        pages.text(x, pages.y + 39.0, &small.shortened(&fact.remark, width), small);
    }
    pages.y += FACT_HEIGHT;
}

/// The line at the foot of each page, once it is known how many there are.
fn feet(pages: &mut [Content], heading: &Heading) {
    let count = pages.len();
    for (index, page) in pages.iter_mut().enumerate() {
        let number = format!("page {} of {count}", index + 1);
        let room = RIGHT - LEFT - FOOTER.width(&number) - 20.0;
        let left = FOOTER.shortened(&format!("{}: {}", heading.title, heading.period), room);
        let [r, g, b] = GREY;
        page.set_stroke_rgb(r, g, b).set_line_width(0.3);
        write_text(page, LEFT, FOOT, &left, FOOTER);
        write_text(page, RIGHT - FOOTER.width(&number), FOOT, &number, FOOTER);
    }
}
