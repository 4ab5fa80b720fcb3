//! Reports, from sums to the bytes of each form.
#![allow(clippy::unwrap_used, reason = "tests")]

mod sample;

#[test]
fn dump() {
    use eco_pulse::report::{Form, render};
    let dir = std::path::PathBuf::from(std::env::var("DUMP_DIR").unwrap());
    for (name, report) in [
        ("sample", sample::report()),
        ("large", sample::large()),
        ("empty", sample::empty()),
        ("decisions", sample::of_decisions()),
        ("lab", sample::report_of("lab")),
    ] {
        for (_, form) in Form::ALL {
            let start = std::time::Duration::ZERO;
            let _ = start;
            std::fs::write(dir.join(format!("{name}.{}", form.extension())), render(&report, form).unwrap())
                .unwrap();
        }
    }
}
