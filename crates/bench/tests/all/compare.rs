//! Differences between runs, against numbers worked out by hand and closed forms.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::lab::{self, TestRun, weights};
use crate::made_up_runs::{self, Line, Runs, column, difference, find, identity, near, number, official, record};
use crate::report_common::{self, normals};
use bench::config::Protocol;
use bench::records::Record;

#[test]
fn a_constant_difference_has_an_interval_of_no_width() {
    let runs = Runs::new();
    let values: Vec<f64> = (0..8).map(|i| f64::from(i * i % 5) / 8.0).collect();
    let more: Vec<f64> = values.iter().map(|value| value + 0.25).collect();
    let both = |values: &[f64]| [column("deletion", values), column("insertion", values)].concat();
    runs.make("a", &official(), &both(&values));
    runs.make("b", &official(), &both(&more));
    let table = runs.table(&["a", "b"]);
    assert_eq!(table.len(), 2);
    let deletion = find(&table, &[("metric", "deletion")]);
    assert_eq!(difference(deletion), ["25.000000", "25.000000", "25.000000", "8", "worse"]);
    let insertion = find(&table, &[("metric", "insertion")]);
    assert_eq!(difference(insertion), ["25.000000", "25.000000", "25.000000", "8", "better"]);
    // 0 + 1 + 4 + 4 + 1 + 0 + 1 + 4 eighths over eight.
    assert_eq!([&deletion["baseline_mean"], &deletion["run_mean"]], ["23.437500", "48.437500"]);
    assert_eq!([&deletion["baseline"], &deletion["run"], &deletion["in"]], ["a", "b", "both"]);
    let said = runs.compare(&["b", "a"]);
    let line = said.lines().skip_while(|line| *line != "Deletion ↓ (%), mini").nth(2).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, ["M", "GradCAM", "48.44", "23.44", "-25.00", "[-25.00,", "-25.00]", "better", "8"]);
    let itself = runs.table(&["a", "a"]);
    assert_eq!(difference(&itself[0]), ["0.000000", "0.000000", "0.000000", "8", "same"]);
}

#[test]
fn of_two_samples_a_resample_is_the_one_the_other_or_both() {
    let runs = Runs::new();
    runs.make("a", &official(), &column("deletion", &[0.25, 0.5]));
    runs.make("b", &official(), &column("deletion", &[0.25, 0.0]));
    assert_eq!(difference(&runs.table(&["a", "b"])[0]), ["-25.000000", "-50.000000", "0.000000", "2", "unclear"]);
    // One sample has no interval.
    runs.make("c", &official(), &column("deletion", &[0.75]));
    assert_eq!(difference(&runs.table(&["a", "c"])[0]), ["50.000000", "", "", "1", "unclear"]);
    assert!(runs.compare(&["a", "c"]).contains("One sample has no interval"));
}

#[test]
fn differences_are_paired_by_sample_and_not_by_place() {
    let runs = Runs::new();
    let n = 400;
    let spread = normals(2 * n);
    let values: Vec<f64> = spread[..n].to_vec();
    let changed: Vec<f64> =
        values.iter().zip(&spread[n..]).map(|(value, noise)| value + 0.003 + 0.05 * noise).collect();
    let (a, mut b) = (column("insertion", &values), column("insertion", &changed));
    b.reverse();
    runs.make("a", &official(), &a);
    runs.make("b", &official(), &b);
    let table = runs.table(&["a", "b"]);
    let changes: Vec<f64> = changed.iter().zip(&values).map(|(b, a)| b - a).collect();
    let mean = changes.iter().sum::<f64>() / n as f64;
    let variance = changes.iter().map(|change| (change - mean).powi(2)).sum::<f64>() / n as f64;
    near(&table[0], "difference", 100.0 * mean);
    // Twenty times wider if it weren't paired.
    let expected = 100.0 * 2.0 * 1.96 * (variance / n as f64).sqrt();
    let width = number(&table[0], "difference_high") - number(&table[0], "difference_low");
    assert!((width / expected - 1.0).abs() < 0.1, "{width} is not about {expected}");
    // And the same bytes each time, resamples and all.
    let (first, page) =
        ["csv", "md"].map(|end| std::fs::read(runs.path(&format!("out/compare.{end}"))).unwrap()).into();
    runs.table(&["a", "b"]);
    let (second, again) =
        ["csv", "md"].map(|end| std::fs::read(runs.path(&format!("out/compare.{end}"))).unwrap()).into();
    assert!(first == second && page == again);
}

#[test]
fn rows_are_told_apart_by_all_that_names_them() {
    let runs = Runs::new();
    // Each of these rows changes by another amount.
    let rows = |step: f64| -> Vec<Record> {
        let row = |place: usize, change: &dyn Fn(&mut Record)| {
            let mut records = column("deletion", &[0.125, 0.25]);
            records.iter_mut().for_each(|record| {
                record.value = record.value.map(|value| value + step * place as f64);
                change(record);
            });
            records
        };
        let rows = [
            row(1, &|_| ()),
            row(2, &|record| record.ucag = true),
            row(3, &|record| (record.ucag, record.variant) = (true, "α 1.5".to_owned())),
            row(4, &|record| record.method = "layercam".to_owned()),
            row(5, &|record| record.model = "N".to_owned()),
            row(6, &|record| record.dataset = "other".to_owned()),
        ];
        rows.concat()
    };
    runs.make("a", &official(), &rows(0.0));
    runs.make("b", &official(), &rows(0.03125));
    let table = runs.table(&["a", "b"]);
    let found: Vec<f64> = table.iter().map(|line| number(line, "difference") / 3.125).collect();
    assert_eq!(found, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let said = runs.compare(&["a", "b"]);
    assert!(said.contains("GradCAM + UCAG, α 1.5  ") && said.contains("\nDeletion ↓ (%), other\n"), "{said}");
}

/// s0 shows cats and dogs, s1 and s2 dogs, s3 cats and owls; nothing is a hen.
fn hits(values: [f64; 6]) -> Vec<Record> {
    let shown =
        [("s0", 0, false), ("s0", 1, true), ("s1", 1, false), ("s2", 1, true), ("s3", 0, true), ("s3", 3, false)];
    let pairs = shown.into_iter().zip(values);
    pairs
        .map(|((sample, class, difficult), value)| Record { difficult, ..record(sample, class, "pointing", value) })
        .collect()
}

#[test]
fn averages_by_class_are_of_the_pairs_that_both_have() {
    let runs = Runs::new();
    runs.make("a", &official(), &hits([1.0, 0.0, 1.0, 1.0, 0.0, 1.0]));
    // The cats and the first dog are hit, too; s2 could not be scored.
    let with: Vec<Record> = hits([1.0; 6]).into_iter().filter(|record| record.sample != "s2").collect();
    runs.make("b", &official(), &with);
    let table = runs.table(&["a", "b"]);
    let all = find(&table, &[("subset", "all")]);
    // Cats (0 + 1)/2, dogs (1 + 0)/2, hens and owls 0.
    near(all, "difference", 100.0 * (0.5 + 0.5) / 4.0);
    near(all, "baseline_mean", 100.0 * (0.5 + 2.0 / 3.0 + 0.0 + 1.0) / 4.0);
    near(all, "run_mean", 75.0);
    assert_eq!([&all["baseline_n"], &all["run_n"], &all["difference_n"]], ["4", "3", "3"]);
    let difficult = find(&table, &[("subset", "difficult")]);
    // Cats 1 − 0, dogs 1 − 0.
    near(difficult, "difference", 100.0 * (1.0 + 1.0) / 4.0);
    assert_eq!(difficult["difference_n"], "2");
    let said = runs.compare(&["a", "b"]);
    assert!(said.contains("- mini (M): 3 samples in both, 1 only in a, 0 only in b"), "{said}");
}

fn energies(of: &[(&str, usize, f64)]) -> Vec<Record> {
    of.iter().map(|&(sample, class, value)| record(sample, class, "energy", value)).collect()
}

#[test]
fn classes_that_the_first_sample_lacks_start_with_a_zero() {
    let runs = Runs::new();
    let before = energies(&[("s0", 0, 0.8), ("s1", 1, 0.4), ("s2", 0, 0.5)]);
    let after = energies(&[("s0", 0, 0.9), ("s1", 1, 0.8), ("s2", 0, 0.7)]);
    let pairs = identity(&Protocol::controlled());
    runs.make("a", &official(), &before);
    runs.make("b", &official(), &after);
    runs.make("a-pairs", &pairs, &before);
    runs.make("b-pairs", &pairs, &after);
    let all = |arguments: &[&str]| -> Line { find(&runs.table(arguments), &[("subset", "all")]).clone() };
    // Cats (0.1 + 0.2)/2, dogs (0.4 + 0)/2; the means are cats 1.3/2 and 1.6/2, dogs 0.4/2 and
    // 0.8/2.
    let tallied = all(&["a", "b"]);
    near(&tallied, "difference", 100.0 * (0.15 + 0.2) / 4.0);
    near(&tallied, "baseline_mean", 100.0 * (0.65 + 0.2) / 4.0);
    near(&tallied, "run_mean", 100.0 * (0.8 + 0.4) / 4.0);
    // The same without the zero.
    let plain = all(&["a-pairs", "b-pairs"]);
    near(&plain, "difference", 100.0 * (0.15 + 0.4) / 4.0);
    assert_eq!(plain["same_measurement"], "true");
    // Where only one run has it, its mean does, and the difference doesn't.
    let mixed = all(&["a", "b-pairs"]);
    near(&mixed, "difference", 100.0 * (0.15 + 0.4) / 4.0);
    near(&mixed, "baseline_mean", 100.0 * (0.65 + 0.2) / 4.0);
    near(&mixed, "run_mean", 100.0 * (0.8 + 0.8) / 4.0);
    assert_eq!(mixed["same_measurement"], "false");
    let said = runs.compare(&["a", "b-pairs"]);
    assert!(said.contains("Energy pointing game, all ↑ (%), mini (means not counted in the same way)\n"), "{said}");
    assert!(said.contains("- averages over classes aren't counted in the same way"), "{said}");
    // Which classes the first sample shows is known from the run that could score it.
    runs.make("late", &official(), &after[1..]);
    for [one, other, sign] in [["a", "late", "+"], ["late", "a", "-"]] {
        let expected = 100.0 * (0.2 + 0.2) / 4.0;
        near(&all(&[one, other]), "difference", if sign == "+" { expected } else { -expected });
    }
}

#[test]
fn counts_are_summed_before_they_are_divided() {
    let runs = Runs::new();
    let counted = |counts: &[[u64; 2]]| -> Vec<Record> {
        let values = column("pixel-accuracy", &counts.iter().map(|c| c[0] as f64 / c[1] as f64).collect::<Vec<_>>());
        values.into_iter().zip(counts).map(|(record, &pair)| Record { counts: vec![pair], ..record }).collect()
    };
    runs.make("a", &official(), &counted(&[[1, 2], [9, 10], [50, 50]]));
    runs.make("b", &official(), &counted(&[[2, 2], [3, 10]]));
    let line = &runs.table(&["a", "b"])[0];
    // 5/12 − 10/12; resamples of one sample twice differ by 1 − ½ and 0.3 − 0.9.
    assert_eq!(difference(line), ["-0.416667", "-0.600000", "0.500000", "2", "unclear"]);
    assert_eq!([&line["baseline_mean"], &line["run_mean"]], ["0.967742", "0.416667"]);
    assert_eq!(difference(&runs.table(&["b", "b"])[0])[4], "same");
    assert!(runs.compare(&["a", "b"]).contains("Quotients of sums: "));
    runs.make("damaged", &official(), &column("pixel-accuracy", &[0.5]));
    let output = runs.bench(&["a", "damaged"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        made_up_runs::text(&output.stderr)
            .contains("damaged: sample `s0`: its pixel-accuracy of gradcam comes with 0 pairs")
    );
}

#[test]
fn a_method_is_compared_with_another() {
    let runs = Runs::new();
    let as_method = |method: &str, ucag: bool, records: &[Record]| -> Vec<Record> {
        records.iter().map(|record| Record { method: method.to_owned(), ucag, ..record.clone() }).collect()
    };
    let (half, quarter) = (column("deletion", &[0.5; 4]), column("deletion", &[0.25; 4]));
    let table1 = [&half[..], &as_method("layercam", false, &quarter), &as_method("gradcam", true, &quarter)].concat();
    runs.make("table1", &official(), &table1);
    let mine = [as_method("mine", false, &column("deletion", &[0.125; 4])), as_method("mine", true, &quarter)].concat();
    runs.make("mine", &official(), &mine);
    let table = runs.table(&["table1", "mine", "--method", "mine", "--against", "gradcam"]);
    assert_eq!(table.len(), 2, "LayerCAM wasn't asked for");
    let plain = find(&table, &[("ucag", "false")]);
    assert_eq!([&plain["method"], &plain["baseline_method"]], ["mine", "gradcam"]);
    assert_eq!(difference(plain), ["-37.500000", "-37.500000", "-37.500000", "4", "better"]);
    assert_eq!(difference(find(&table, &[("ucag", "true")]))[4], "same");
    let said = runs.compare(&["table1", "mine", "--method", "mine", "--against", "gradcam"]);
    assert!(said.contains("mine against GradCAM ") && said.contains("mine + UCAG against GradCAM + UCAG"), "{said}");
    // Within one run; what only one of the two methods has is said.
    let table = runs.table(&["table1", "table1", "--method", "layercam", "--against", "gradcam"]);
    assert_eq!(difference(find(&table, &[("in", "both")]))[..2], ["-25.000000", "-25.000000"]);
    let alone = find(&table, &[("in", "baseline")]);
    assert_eq!([&alone["ucag"], &alone["baseline_mean"], &alone["run_mean"]], ["true", "25.000000", ""]);
    let unknown = runs.refused(&["table1", "mine", "--method", "mien", "--against", "gradcam"]);
    assert!(unknown.contains("mine has no record of a method 'mien'; did you mean 'mine'?"), "{unknown}");
    let unknown = runs.refused(&["table1", "mine", "--method", "mine", "--against", "grad"]);
    assert!(unknown.contains("--against grad: table1 has no record of a method 'grad'"), "{unknown}");
    runs.refused(&["table1", "mine", "--method", "mine"]);
}

/// Two runs of the program, under different protocols.
#[test]
fn whole_runs_have_their_own_tables_means() {
    let config = format!(
        "title = 'Small'\n[dataset]\nkind = 'mini-voc07'\nroot = 'data'\nlimit = 3\n\
         [[model]]\nname = 'R'\narch = 'resnet'\nweights = '{}'\n\
         [[method]]\nid = 'gradcam'\nucag = [false, true]\n[[method]]\nid = 'center'\n\
         [[metric]]\nid = 'energy'\n[[metric]]\nid = 'pointing'\n[output]\nresamples = 200\ngallery = 0\n",
        weights("resnet_multilabel.safetensors")
    );
    let lab = TestRun::with(&config, &[]);
    lab.run(0, &["small.toml", "--out", "one"]);
    lab.run(0, &["small.toml", "--out", "other", "--set", "protocol.coverage=true", "--set", "protocol.alpha=2"]);
    // Neither data nor weights are asked for.
    std::fs::remove_dir_all(lab.path("data")).unwrap();
    let journals = || ["one", "other"].map(|run| lab.read(run, "records.jsonl"));
    let before = journals();
    let said = lab::text(&lab.run(0, &["compare", "one", "other", "--out", "c"]).stdout);
    assert_eq!(journals(), before);
    assert!(said.contains("- protocol: coverage is \"plus-one\" in one, \"true\" in other\n"), "{said}");
    assert!(said.contains("- protocol: alpha is 2.6 in one, 2.0 in other\n") && !said.contains("agree"), "{said}");
    let table = report_common::rows(&lab.path("c/compare.csv"));
    assert_eq!(table.len(), 3 * 2 * 2);
    for (run, mean) in [("one", "baseline_mean"), ("other", "run_mean")] {
        for own in report_common::rows(&lab.path(run).join("small.csv")) {
            let key = ["method", "ucag", "metric", "subset"].map(|key| (key, own[key].as_str()));
            assert_eq!(find(&table, &key)[mean], own["ours"], "{run}: {key:?}");
        }
    }
    for line in &table {
        near(line, "difference", number(line, "run_mean") - number(line, "baseline_mean"));
        assert_eq!(line["verdict"] == "same", line["ucag"] == "false" || number(line, "difference") == 0.0, "{line:?}");
    }
    assert!(table.iter().any(|line| line["ucag"] == "true" && number(line, "difference") != 0.0));
}
