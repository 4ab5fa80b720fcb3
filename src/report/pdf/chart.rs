//! Charts: bars over time, and bars by name. Bars go down, or to the left, where a figure is below zero; what is not known
//! has none.

use super::page::{GREY, HAIR, LEFT, Pages, RIGHT, SERIES, Type};
use crate::report::figures::{Quantity, Sign, decimals, written};
use crate::report::sheet::{Chart, ChartKind};

const TITLE: Type = Type::bold(9.0);
const LABEL: Type = Type::regular(7.0);
/// Title and legend.
const HEAD: f32 = 18.0;
const PLOT: f32 = 122.0;
const BELOW: f32 = 22.0;
/// Room for the labels of the upright axis.
const AXIS: f32 = 44.0;
/// Of a bar, and of a name with its bars, where names are listed.
const BAR: f32 = 6.5;
const LISTED: f32 = 2.0 * BAR + 5.0;
const LONGEST_NAME: f32 = 120.0;

pub(super) fn height(chart: &Chart) -> f32 {
    match chart.kind {
        ChartKind::OverTime => HEAD + PLOT + BELOW,
        ChartKind::Listed => HEAD + LISTED * chart.points.len() as f32 + BELOW,
    }
}

pub(super) fn draw(pages: &mut Pages, chart: &Chart) {
    pages.ensure(height(chart));
    pages.text(LEFT, pages.y + 9.0, &chart.title, TITLE);
    legend(pages, chart);
    pages.y += HEAD;
    let scale = Scale::of(chart);
    match chart.kind {
        ChartKind::OverTime => over_time(pages, chart, &scale),
        ChartKind::Listed => listed(pages, chart, &scale),
    }
    pages.y += BELOW;
}

/// To the right of the title.
fn legend(pages: &mut Pages, chart: &Chart) {
    let mut x = RIGHT;
    for (name, colour) in chart.series.iter().zip(SERIES).rev() {
        x -= LABEL.width(name);
        pages.text(x, pages.y + 9.0, name, LABEL);
        pages.fill((x - 9.0, pages.y + 3.5), (6.0, 6.0), colour);
        x -= 20.0;
    }
}

/// From the least to the largest tick, zero among them.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// About five ticks, at one, two or five times a power of ten.
    fn of(chart: &Chart) -> Self {
        let figures = || chart.points.iter().flat_map(|(_, figures)| figures.iter().flatten());
        let (low, high) = (figures().copied().fold(0.0, f64::min), figures().copied().fold(0.0, f64::max));
        let span = high - low;
        if span <= 0.0 {
            return Self { low: 0.0, high: 1.0, step: 1.0 };
        }
        let power = 10_f64.powf((span / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|times| times * power).find(|step| span / step <= 5.0);
        let step = step.unwrap_or(10.0 * power);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    /// Where a figure is, from 0 to 1.
    #[expect(clippy::cast_possible_truncation, reason = "a share of one")]
    fn place(&self, figure: f64) -> f32 {
        ((figure - self.low) / (self.high - self.low)) as f32
    }

    /// Every tick with its label.
    fn ticks(&self) -> Vec<(f32, String)> {
        let count = ((self.high - self.low) / self.step).round();
        let mut index = 0.0;
        let mut ticks = Vec::new();
        while index <= count {
            let figure = self.low + index * self.step;
            // Sums of steps come out beside zero.
            let figure = if figure.abs() < self.step / 2.0 { 0.0 } else { figure };
            let digits = decimals(Quantity::Hours, [self.step].into_iter()).saturating_sub(2);
            ticks.push((self.place(figure), written(figure, digits, Sign::Minus)));
            index += 1.0;
        }
        ticks
    }
}

fn over_time(pages: &mut Pages, chart: &Chart, scale: &Scale) {
    let (left, top) = (LEFT + AXIS, pages.y + 4.0);
    let (width, high) = (RIGHT - left, PLOT - 4.0);
    let at = |place: f32| top + high * (1.0 - place);
    for (place, label) in scale.ticks() {
        let y = at(place);
        pages.line((left, y), (RIGHT, y), 0.3, HAIR);
        pages.text_to(left - 5.0, y + 2.4, &label, LABEL.in_grey());
    }
    let slot = width / chart.points.len().max(1) as f32;
    let bar = (slot * 0.8 / SERIES.len() as f32).min(14.0);
    let zero = at(scale.place(0.0));
    for (index, (_, figures)) in chart.points.iter().enumerate() {
        let middle = left + slot * (index as f32 + 0.5);
        for (series, figure) in figures.iter().enumerate() {
            let Some(figure) = figure else { continue };
            let y = at(scale.place(*figure));
            let x = middle + bar * (series as f32 - figures.len() as f32 / 2.0);
            pages.fill((x, y.min(zero)), (bar, (y - zero).abs()), SERIES[series % SERIES.len()]);
        }
    }
    pages.line((left, zero), (RIGHT, zero), 0.7, GREY);
    let widest = chart.points.iter().map(|(label, _)| LABEL.width(label)).fold(0.0, f32::max);
    let mut free_from = f32::MIN;
    for (index, (label, _)) in chart.points.iter().enumerate() {
        // Around its bars, as far as the page goes, and where the one before leaves room.
        let middle = (left + slot * (index as f32 + 0.5)).min(RIGHT - widest / 2.0);
        if middle - widest / 2.0 >= free_from {
            pages.text_around(middle, top + high + 10.0, label, LABEL.in_grey());
            free_from = middle + widest / 2.0 + 8.0;
        }
    }
    pages.y += PLOT;
}

fn listed(pages: &mut Pages, chart: &Chart, scale: &Scale) {
    let names = chart.points.iter().map(|(name, _)| LABEL.width(name)).fold(0.0, f32::max).min(LONGEST_NAME);
    let figures = || chart.points.iter().flat_map(|(_, figures)| figures.iter().flatten().copied());
    let digits = decimals(Quantity::Hours, figures());
    // Figures stand behind their bars: room for the widest on both sides.
    let aside =
        figures().map(|figure| LABEL.width(&written(figure, digits, Sign::Always))).fold(0.0, f32::max) + 6.0;
    let (left, top) = (LEFT + names + 8.0 + aside, pages.y);
    let width = RIGHT - aside - left;
    let at = |place: f32| left + width * place;
    let below = top + LISTED * chart.points.len() as f32;
    for (place, label) in scale.ticks() {
        pages.line((at(place), top), (at(place), below), 0.3, HAIR);
        pages.text_around(at(place), below + 9.0, &label, LABEL.in_grey());
    }
    let zero = at(scale.place(0.0));
    for (index, (name, figures)) in chart.points.iter().enumerate() {
        let y = top + LISTED * index as f32 + 2.5;
        pages.text(LEFT, y + BAR + 2.4, &LABEL.shortened(name, names + 0.5), LABEL);
        for (series, figure) in figures.iter().enumerate() {
            let Some(figure) = figure else { continue };
            let (x, y) = (at(scale.place(*figure)), y + BAR * series as f32);
            pages.fill((x.min(zero), y), ((x - zero).abs(), BAR - 0.7), SERIES[series % SERIES.len()]);
            let label = written(*figure, digits, Sign::Always);
            if *figure < 0.0 {
                pages.text_to(x - 3.0, y + 5.4, &label, LABEL.in_grey());
            } else {
                pages.text(x + 3.0, y + 5.4, &label, LABEL.in_grey());
            }
        }
    }
    pages.line((zero, top), (zero, below), 0.7, GREY);
    pages.y = below;
}
