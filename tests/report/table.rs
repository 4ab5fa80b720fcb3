//! The table: 80 columns, every section, and nothing that looks better than it is.

use eco_pulse::report::Form;

use crate::sample;
use crate::{HEADINGS, text};

fn lines_of(table: &str, section: &str) -> Vec<String> {
    let lines = table.lines().skip_while(|line| *line != section.to_uppercase());
    lines.skip(1).take_while(|line| line.is_empty() || line.starts_with("  ")).map(str::to_owned).collect()
}

#[test]
fn no_line_is_wider_than_80_columns_or_ends_in_spaces() {
    for report in
        [sample::report(), sample::report_of("lab"), sample::large(), sample::empty(), sample::of_decisions()]
    {
        for line in text(&report, Form::Table).lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", line.chars().count());
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn every_section_is_there_in_order() {
    let table = text(&sample::report(), Form::Table);
    let mut from = 0;
    for heading in HEADINGS {
        let at = table[from..].find(&format!("\n{}\n", heading.to_uppercase()));
        from += at.unwrap_or_else(|| panic!("{heading} is missing or out of order"));
    }
}

#[test]
fn savings_below_zero_are_shown_with_their_sign() {
    let report = sample::report();
    let lab = report.namespaces.iter().find(|row| row.namespace == "lab").unwrap();
    assert!(lab.sums.against[0].avoided_g < 0.0 && lab.sums.against[0].saved_usd < 0.0);
    let table = text(&report, Form::Table);
    for section in ["Avoided emissions", "Cost saved"] {
        let lines = lines_of(&table, section);
        let row = lines.iter().find(|line| line.starts_with("  lab ")).unwrap();
        assert!(row.split_whitespace().nth(2).unwrap().starts_with('-'), "{row}");
    }
}

#[test]
fn inventory_and_avoided_emissions_are_apart_and_no_figure_is_their_difference() {
    let report = sample::report();
    let table = text(&report, Form::Table);
    let inventory = lines_of(&table, "Emissions inventory").join(" ");
    assert!(
        inventory.contains("never to be subtracted")
            || inventory.contains("to be subtracted from an inventory")
    );
    assert!(!inventory.contains("baseline"), "the inventory compares with nothing");
    let emitted: f64 = report.inventory.iter().map(|row| row.emissions_g).sum();
    let difference = (emitted - report.total.against[0].avoided_g) / 1000.0;
    for written in [format!("{difference:.1}"), format!("{difference:.2}"), format!("{difference:.3}")] {
        assert!(!table.contains(&written), "{written}");
    }
}

#[test]
fn what_is_modelled_and_what_is_attributed_says_so_where_it_is_shown() {
    let table = text(&sample::report(), Form::Table);
    for (section, words) in [
        ("Summary", ["modelled", "attributed"]),
        ("Emissions inventory", ["modelled", "Location-based"]),
        ("Cost saved", ["modelled", "attributed"]),
    ] {
        let told = lines_of(&table, section).join(" ");
        assert!(words.iter().all(|word| told.contains(word)), "{section}: {told}");
    }
}

#[test]
fn a_period_without_pods_is_a_sentence_and_no_table_of_zeros() {
    let table = text(&sample::empty(), Form::Table);
    assert!(table.contains("No pod was bound or ran in this period"), "{table}");
    assert!(!table.contains("AVOIDED") && !table.contains("INVENTORY"), "{table}");
    assert!(table.contains(sample::HEAD), "the head is there all the same");
}

#[test]
fn where_nobody_watches_pods_nothing_is_called_realised() {
    let table = text(&sample::of_decisions(), Form::Table);
    assert!(!table.to_lowercase().replace("nothing is realised", "").contains("realised"), "{table}");
    assert!(!table.contains("INVENTORY") && table.contains("from decisions alone"));
    assert!(table.contains("projected"));
}

#[test]
fn a_report_of_one_namespace_names_no_other() {
    let table = text(&sample::report_of("lab"), Form::Table);
    assert!(table.contains("namespace lab") && table.contains("lab-worker-00"));
    assert!(!table.contains("shop") && !table.contains("batch"));
}

/// Whoever can make pods can name them.
#[test]
fn a_name_moves_no_cursor_and_takes_no_time() {
    let mut report = sample::report();
    report.namespaces[0].namespace = "\u{1b}[2Jshop\r\n".to_owned();
    report.inventory[0].namespace = "x".repeat(1 << 20);
    report.owners.rows[0].name = "W".repeat(1 << 24);
    report.heads[0].replica = "a\u{7}b".to_owned();
    for form in [Form::Table, Form::Pdf] {
        let bytes = eco_pulse::report::render(&report, form).unwrap();
        assert!(bytes.len() < 1 << 20, "{form:?}: {}", bytes.len());
    }
    let table = text(&report, Form::Table);
    assert!(table.chars().all(|of| of == '\n' || !of.is_control()));
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("\u{fffd}[2Jshop"));
}

/// They stay there for people to look at.
#[test]
fn every_sample_is_written_in_every_form() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, report) in [("report", sample::report()), ("large", sample::large())] {
        for (form_name, form) in Form::ALL {
            let bytes = eco_pulse::report::render(&report, form).unwrap();
            let begins = match form {
                Form::Table => "Carbon and cost of pod placement",
                Form::Csv => "section,",
                Form::Json => "{",
                Form::Pdf => "%PDF-",
            };
            assert!(bytes.starts_with(begins.as_bytes()), "{name}: {form_name}");
            std::fs::write(folder.join(format!("{name}.{}", form.extension())), bytes).unwrap();
        }
    }
}
