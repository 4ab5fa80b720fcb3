//! Pages under way: text, lines and rectangles at places measured from the top left, and a mark of how far a page is filled.

use pdf_writer::{Content, Name, Str};

use super::font::{Face, encoded};

/// A4 in points.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
/// Room on both sides.
pub(super) const MARGIN: f32 = 50.0;
/// Where what is set begins and ends.
pub(super) const LEFT: f32 = MARGIN;
pub(super) const RIGHT: f32 = WIDTH - MARGIN;
const TOP: f32 = 54.0;
const BOTTOM: f32 = HEIGHT - 58.0;
/// Baseline of the line at the foot of each page.
pub(super) const FOOT: f32 = HEIGHT - 32.0;

/// Names of the fonts in the pages' resources.
pub(super) const REGULAR: Name<'static> = Name(b"F1");
pub(super) const BOLD: Name<'static> = Name(b"F2");

/// Red, green and blue, 0 to 1.
pub(super) type Colour = [f32; 3];
pub(super) const INK: Colour = [0.13, 0.13, 0.15];
pub(super) const GREY: Colour = [0.42, 0.42, 0.45];
pub(super) const HAIR: Colour = [0.84, 0.84, 0.86];
/// Blue and orange that the colour-blind can tell apart (M. Okabe, K. Ito, Color Universal Design, 2008).
pub(super) const SERIES: [Colour; 2] = [[0.0, 0.447, 0.698], [0.902, 0.624, 0.0]];

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) face: Face,
    pub(super) size: f32,
    pub(super) colour: Colour,
}

impl Type {
    pub(super) const fn regular(size: f32) -> Self {
        Self { face: Face::Regular, size, colour: INK }
    }

    pub(super) const fn bold(size: f32) -> Self {
        Self { face: Face::Bold, size, colour: INK }
    }

    pub(super) const fn in_grey(self) -> Self {
        Self { colour: GREY, ..self }
    }

    pub(super) fn width(self, text: &str) -> f32 {
        self.face.width(text, self.size)
    }

    pub(super) fn shortened(self, text: &str, most: f32) -> String {
        self.face.shortened(text, self.size, most)
    }

    pub(super) fn wrapped(self, text: &str, most: f32) -> Vec<String> {
        self.face.wrapped(text, self.size, most)
    }
}

/// Pages under way.
pub(super) struct Pages {
    done: Vec<Content>,
    current: Content,
    /// How far the page is filled, from its top.
    pub(super) y: f32,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self { done: Vec::new(), current: Content::new(), y: TOP }
    }

    /// Index of the page under way.
    pub(super) const fn index(&self) -> usize {
        self.done.len()
    }

    pub(super) fn break_page(&mut self) {
        self.done.push(std::mem::replace(&mut self.current, Content::new()));
        self.y = TOP;
    }

    /// Whether nothing is on the page yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.y <= TOP
    }

    /// A new page, unless so much fits on this one. Says whether there is one.
    pub(super) fn ensure(&mut self, height: f32) -> bool {
        let breaks = self.y + height > BOTTOM && !self.is_fresh();
        if breaks {
            self.break_page();
        }
        breaks
    }

    /// All pages.
    pub(super) fn finish(mut self) -> Vec<Content> {
        self.done.push(self.current);
        self.done
    }

    /// A text from `x` on, its baseline at `y`.
    pub(super) fn text(&mut self, x: f32, y: f32, text: &str, of: Type) {
        write_text(&mut self.current, x, y, text, of);
    }

    /// A text that ends at `x`.
    pub(super) fn text_to(&mut self, x: f32, y: f32, text: &str, of: Type) {
        self.text(x - of.width(text), y, text, of);
    }

    /// A text around `x`.
    pub(super) fn text_around(&mut self, x: f32, y: f32, text: &str, of: Type) {
        self.text(x - of.width(text) / 2.0, y, text, of);
    }

    pub(super) fn line(&mut self, (x1, y1): (f32, f32), (x2, y2): (f32, f32), width: f32, colour: Colour) {
        let [red, green, blue] = colour;
        self.current.set_stroke_rgb(red, green, blue).set_line_width(width);
        self.current.move_to(round(x1), up(y1)).line_to(round(x2), up(y2)).stroke();
    }

    /// A filled rectangle by its top left corner.
    pub(super) fn fill(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), colour: Colour) {
        let [red, green, blue] = colour;
        self.current.set_fill_rgb(red, green, blue);
        self.current.rect(round(x), up(y + height), round(width), round(height)).fill_nonzero();
    }
}

/// On a page that is done.
pub(super) fn write_text(page: &mut Content, x: f32, y: f32, text: &str, of: Type) {
    let [red, green, blue] = of.colour;
    let font = if of.face == Face::Bold { BOLD } else { REGULAR };
    page.set_fill_rgb(red, green, blue);
    page.begin_text().set_font(font, of.size).next_line(round(x), up(y));
    page.show(Str(&encoded(text))).end_text();
}

/// PDF measures from the bottom.
fn up(y: f32) -> f32 {
    round(HEIGHT - y)
}

/// To a hundredth of a point: nobody sees less, and the file is smaller.
fn round(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}
