//! `report.html`: what is in it, and how it behaves in a browser.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests are tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::report_common::{config, facts, record};
use bench::config::Config;
use bench::records::saved_maps;
use bench::records::saved_maps::{Pictures, SavedMap, SavedMaps};
use bench::records::{Failure, Record};
use bench::report::{DatasetFacts, Records, Summary, write};
use image::{Rgb, RgbImage};
use tempfile::TempDir;
use ucag_core::postprocess::MapState;

const NASTY: &str = "</script><script>alert(1)</script> & \"quoted\" <b>";

/// Three samples on two models, with curves, a plate for each, and names that would break a page
/// that doesn't escape them.
fn made_up(out: &Path) -> (Config, Vec<DatasetFacts>, Vec<Record>) {
    let mut config = config(&["A", "B"], &["gradcam", "lrp"], &["deletion", "insertion"]);
    config.title = format!("Made up {NASTY}");
    let facts = facts(&config);
    let mut records = Vec::new();
    for s in 0..3 {
        for model in ["A", "B"] {
            for (place, (method, ucag)) in
                [("gradcam", false), ("gradcam", true), ("lrp", false), ("lrp", true)].into_iter().enumerate()
            {
                for metric in ["deletion", "insertion"] {
                    // The means fall, rise and fall again from row to row, so that every sorting
                    // moves something.
                    let value = [0.4, 0.1, 0.3, 0.2][place] + f64::from(s) / 100.0;
                    let curve = Some(vec![value as f32, 0.5, 0.25]);
                    records.push(Record { curve, ..record(&format!("s{s}"), model, method, ucag, metric, value) });
                }
            }
            plate(&out.join(format!("gallery/0000{s}_s{s}-0_{model}")), &format!("s{s}"), model);
        }
    }
    (config, facts, records)
}

fn plate(folder: &Path, sample: &str, model: &str) {
    let tile = |(method, ucag, signed): (&str, bool, bool)| SavedMap {
        method: method.to_owned(),
        label: method.to_uppercase(),
        ucag,
        variant: String::new(),
        file: None,
        signed,
        largest: 0.0,
        state: if method == "lrp" && ucag { MapState::AllZero } else { MapState::Ok },
        point: Some([3.0, 4.0]),
        scores: vec![("deletion".to_owned(), 0.25)],
    };
    let rows = [("gradcam", false, false), ("gradcam", true, false), ("lrp", false, true), ("lrp", true, true)];
    let plate = SavedMaps {
        dataset: "mini".to_owned(),
        sample: sample.to_owned(),
        class: 0,
        class_name: NASTY.to_owned(),
        model: model.to_owned(),
        size: [0; 2],
        mask: false,
        tiles: rows.into_iter().map(tile).collect(),
    };
    let image = RgbImage::from_fn(16, 12, |x, y| Rgb([15 * x as u8, 20 * y as u8, 90]));
    let map: Vec<f32> = (0..16 * 12).map(|place| place as f32 / 191.0).collect();
    let mask: Vec<bool> = (0..16 * 12).map(|place| place % 16 > 7).collect();
    saved_maps::write(folder, plate, &Pictures { image: &image, mask: Some(&mask), maps: &[&map, &map, &map, &map] })
        .unwrap();
}

fn page() -> (TempDir, PathBuf, String) {
    let out = tempfile::tempdir().unwrap();
    let (config, datasets, records) = made_up(out.path());
    let failures = [Failure {
        dataset: "mini".to_owned(),
        sample: "s9".to_owned(),
        model: "A".to_owned(),
        error: NASTY.to_owned(),
    }];
    write(&Summary {
        config: &config,
        datasets: &datasets,
        records: Records::Held(&records),
        failures: &failures,
        out: out.path(),
    })
    .unwrap();
    let path = out.path().join("report.html");
    let text = std::fs::read_to_string(&path).unwrap();
    (out, path, text)
}

#[test]
fn every_row_of_the_table_is_in_the_page() {
    let (out, _, text) = page();
    let markdown = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ") && line.contains('[')).collect();
    assert_eq!(rows.len(), 8 + 4, "two models with four rows, and a change for each pair");
    for row in rows {
        let mut at = 0;
        for cell in row.trim_matches('|').split(" | ").map(str::trim) {
            let found = text[at..].find(&format!(">{cell}</t"));
            at += found.unwrap_or_else(|| panic!("`{cell}` of `{row}` isn't there, in the order of the row"));
        }
    }
    assert!(text.contains("1 sample") && text.contains("s9"), "failures are named");
}

#[test]
fn nothing_in_a_name_can_leave_its_place() {
    let (_out, _, text) = page();
    assert!(!text.contains("<script>alert"), "escaped wherever it stands");
    assert_eq!(text.matches("</script>").count(), 2, "the page's own script and the gallery's data");
    assert!(text.contains("&lt;/script&gt;") && text.contains("\\u003c/script>"));
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let (_out, _, text) = page();
    // The only addresses are XML's names for SVG.
    let elsewhere = ["http://", "https://"].iter().flat_map(|scheme| text.match_indices(scheme));
    let strange: Vec<&str> = elsewhere
        .map(|(at, _)| text[at..].split(['"', '\'', '<', ' ', ')']).next().unwrap())
        .filter(|address| *address != "http://www.w3.org/2000/svg")
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(!text.contains("<link") && !text.contains("@import") && !text.contains("src=\"/"));
}

#[test]
fn the_same_run_gives_the_same_page() {
    assert_eq!(page().2, page().2);
}

#[test]
fn a_large_gallery_is_cut_and_said_to_be() {
    let out = tempfile::tempdir().unwrap();
    let (config, datasets, records) = made_up(out.path());
    // Noise can't be compressed: 1.3 MB a plate.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let image = RgbImage::from_fn(512, 512, |_, _| Rgb([noise(), noise(), noise()]));
    for (folder, _) in saved_maps::read_all(&out.path().join("gallery")).unwrap() {
        image.save(folder.join("image.png")).unwrap();
    }
    write(&Summary {
        config: &config,
        datasets: &datasets,
        records: Records::Held(&records),
        failures: &[],
        out: out.path(),
    })
    .unwrap();
    let text = std::fs::read_to_string(out.path().join("report.html")).unwrap();
    assert!(text.len() < 5 << 20, "{} bytes", text.len());
    assert!(text.contains("more in the folder gallery/"));
}

/// A browser that can run without a screen, if this machine has one.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let on_path =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let known = on_path.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    named.into_iter().chain(known).find(|path| path.is_file())
}

/// The required behaviour of the page, as a script in it: says "fine", or what isn't.
const CHECKS: &str = include_str!("checks.js");

#[test]
fn the_page_works_in_a_browser() {
    let Some(chromium) = chromium() else {
        eprintln!("SKIPPED: no Chromium here (set CHROMIUM to one, or install the package chromium)");
        return;
    };
    let (out, _, text) = page();
    let color = colorous::VIRIDIS.eval_rational(23, 256);
    let expected = format!("{},{},{},255", color.r, color.g, color.b);
    let head = format!("<head><script>document.documentElement.dataset.viridis = \"{expected}\";{CHECKS}</script>");
    let checked = out.path().join("checked.html");
    std::fs::write(&checked, text.replacen("<head>", &head, 1)).unwrap();
    for (width, dark) in [(1280, false), (1280, true), (360, false), (360, true)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Browsers have a least width for windows, but none for frames.
        let frame = format!(
            "<script>onmessage = (event) => fetch(\"http://{}/\", {{ method: \"POST\", mode: \"no-cors\", body: event.data }});</script>\
             <iframe src=\"checked.html\" style=\"width: {width}px; height: 900px; border: 0\"></iframe>",
            listener.local_addr().unwrap()
        );
        let framed = out.path().join("framed.html");
        std::fs::write(&framed, frame).unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(&chromium);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("--window-size=1400,1000");
        command.arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }));
        command.arg(format!("file://{}", framed.display())).stderr(Stdio::null()).stdout(Stdio::null());
        let mut browser = command.spawn().unwrap();
        let verdict = verdict(&listener);
        browser.kill().unwrap();
        browser.wait().unwrap();
        let expected =
            serde_json::json!({"trouble": [], "width": width, "scheme": if dark { "dark" } else { "light" }});
        assert_eq!(verdict.expect("the page said nothing"), expected);
    }
}

/// Returns the page's answer, within two minutes.
fn verdict(listener: &TcpListener) -> Option<serde_json::Value> {
    listener.set_nonblocking(true).unwrap();
    for _ in 0..1200 {
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut request = Vec::new();
        let mut part = [0; 4096];
        loop {
            let said = String::from_utf8_lossy(&request).into_owned();
            // Once the body is whole, it is JSON.
            if let Some((_, body)) = said.split_once("\r\n\r\n")
                && let Ok(verdict) = serde_json::from_str(body)
            {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                return Some(verdict);
            }
            match stream.read(&mut part) {
                Ok(count) if count > 0 => request.extend_from_slice(&part[..count]),
                _ => break,
            }
        }
    }
    None
}
