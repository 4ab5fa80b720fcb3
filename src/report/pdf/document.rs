//! Finished pages as a file: fonts, bookmarks, and what the document says of itself.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pdf_writer::types::PageMode;
use pdf_writer::{Content, Date, Finish as _, Name, Pdf, Rect, Ref, TextStr};

use super::page::{BOLD, HEIGHT, REGULAR, WIDTH};

/// A bookmark: what it says, its page, and how far from the page's top.
pub(super) type Bookmark = (&'static str, usize, f32);

/// The file's bytes. The same pages give the same bytes.
pub(super) fn document(
    pages: Vec<Content>,
    bookmarks: &[Bookmark],
    (title, subject): (&str, &str),
    made_at: Timestamp,
) -> Vec<u8> {
    let mut next = Ref::new(1);
    let (catalog, tree, info, outline) = (next.bump(), next.bump(), next.bump(), next.bump());
    let fonts = [(REGULAR, next.bump(), "Helvetica"), (BOLD, next.bump(), "Helvetica-Bold")];
    let page_ids: Vec<Ref> = pages.iter().map(|_| next.bump()).collect();
    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).outlines(outline).page_mode(PageMode::UseOutlines).lang(TextStr("en"));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    let mut about = pdf.document_info(info);
    about.title(TextStr(title)).subject(TextStr(subject));
    about.creator(TextStr("Eco-Pulse")).producer(TextStr(concat!("eco-pulse ", env!("CARGO_PKG_VERSION"))));
    about.creation_date(date(made_at)).modified_date(date(made_at));
    about.finish();
    for (_, id, name) in fonts {
        let mut font = pdf.type1_font(id);
        font.base_font(Name(name.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    pdf.pages(tree).kids(page_ids.iter().copied()).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for (id, content) in page_ids.iter().zip(pages) {
        let content_id = next.bump();
        let mut page = pdf.page(*id);
        page.parent(tree).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(content_id);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (name, font, _) in fonts {
            named.pair(name, font);
        }
        named.finish();
        resources.finish();
        page.finish();
        pdf.stream(content_id, content.finish().as_slice());
    }
    outlines(&mut pdf, outline, &mut next, bookmarks, &page_ids);
    pdf.finish()
}

fn outlines(pdf: &mut Pdf, outline: Ref, next: &mut Ref, bookmarks: &[Bookmark], pages: &[Ref]) {
    let ids: Vec<Ref> = bookmarks.iter().map(|_| next.bump()).collect();
    let mut root = pdf.outline(outline);
    if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
        root.first(*first).last(*last).count(i32::try_from(ids.len()).unwrap_or(i32::MAX));
    }
    root.finish();
    for (index, (title, page, y)) in bookmarks.iter().enumerate() {
        let Some(page) = pages.get(*page) else { continue };
        let mut item = pdf.outline_item(ids[index]);
        item.title(TextStr(title)).parent(outline);
        if let Some(before) = index.checked_sub(1) {
            item.prev(ids[before]);
        }
        if let Some(after) = ids.get(index + 1) {
            item.next(*after);
        }
        item.dest().page(*page).xyz(0.0, HEIGHT - y, None);
    }
}

fn date(time: Timestamp) -> Date {
    let civil = time.to_zoned(TimeZone::UTC).datetime();
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    Date::new(u16::try_from(civil.year()).unwrap_or_default())
        .month(part(civil.month()))
        .day(part(civil.day()))
        .hour(part(civil.hour()))
        .minute(part(civil.minute()))
        .second(part(civil.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
