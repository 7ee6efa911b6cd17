//! Published numbers: what they match, and what is said of a file that is malformed.

use std::path::Path;

use crate::report_common::{config, config_on, facts, record, rows, summary};
use bench::analysis::published::{normalise, read};
use bench::report::write;

fn table1() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/published/table1.csv")
}

#[test]
fn table_1_stands_beside_ours() {
    let out = tempfile::tempdir().unwrap();
    let methods = ["gradcam", "gradcam++", "gradcam++-divided", "wgradcam", "random"];
    let mut config = config(&["ResNet50", "mini-resnet"], &methods, &["deletion", "insertion"]);
    config.output.published = Some(table1());
    let records = [record("s0", "ResNet50", "wgradcam", true, "deletion", 0.1)];
    let written = write(&summary(&config, &facts(&config), &records, out.path())).unwrap();
    let rows = rows(&out.path().join("made-up.csv"));
    let row = |model: &str, method: &str, ucag: &str, metric: &str| {
        let key = |row: &&std::collections::HashMap<String, String>| {
            row["model"] == model && row["method"] == method && row["ucag"] == ucag && row["metric"] == metric
        };
        rows.iter().find(key).unwrap()
    };
    // Read off the paper's Table 1.
    assert_eq!(row("ResNet50", "gradcam", "false", "insertion")["published"], "53.900000");
    assert_eq!(row("ResNet50", "gradcam++", "true", "deletion")["published"], "8.700000");
    let candidate = row("ResNet50", "wgradcam", "true", "deletion");
    assert_eq!((candidate["published"].as_str(), candidate["ours_minus_published"].as_str()), ("9.100000", "0.900000"));
    assert_eq!(candidate["role"], "candidate");
    assert_eq!(row("ResNet50", "gradcam++-divided", "false", "deletion")["published"], "");
    assert_eq!(row("ResNet50", "random", "false", "deletion")["published"], "");
    assert!(rows.iter().filter(|row| row["model"] == "mini-resnet").all(|row| row["published"].is_empty()));

    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    assert!(page.contains("measured there on ImageNet; not measured here. Ours come from `mini`"), "{page}");
    assert!(written.table.contains("WGradCAM (candidate) + UCAG"), "{}", written.table);
}

#[test]
fn names_lose_only_the_candidate_mark() {
    assert_eq!(normalise("WGradCAM (candidate)"), "WGradCAM");
    assert_eq!(normalise("GradCAM++ (divided)"), "GradCAM++ (divided)");
}

#[test]
fn every_number_of_the_file_is_read() {
    let published = read(&table1()).unwrap();
    assert_eq!(published.len(), 36);
    assert!(published.iter().all(|row| row.dataset == "ImageNet" && row.table == "1"));
}

#[test]
fn malformed_files_are_named_with_their_line() {
    let head = "table,dataset,model,method,ucag,metric,value\n";
    let good = "1,ImageNet,ResNet50,GradCAM,false,deletion_auc_pct,11.3\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.csv");
    for (body, line, says) in [
        (format!("{head}{good}1,ImageNet,ResNet50,GradCAM,true,deletion_auc_pct,x\n"), 3, "value: "),
        (format!("{head}{good}1,ImageNet,ResNet50,GradCAM,maybe,deletion_auc_pct,1\n"), 3, "ucag: "),
        (format!("{head}{good}1,ImageNet,ResNet50\n"), 3, "3 fields"),
        (format!("{head}{good}{good}"), 3, "already on line 2"),
        (format!("{head}1,ImageNet,ResNet50,GradCAM,true,deletion_auc_pct,NaN\n"), 2, "finite"),
        ("table,model\n1,ResNet50\n".to_owned(), 1, "columns must be table,dataset"),
    ] {
        std::fs::write(&path, body).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("bad.csv:{line}: ")) && error.contains(says), "{error}");
    }
    let error = format!("{:#}", read(&folder.path().join("absent.csv")).unwrap_err());
    assert!(error.contains("absent.csv"), "{error}");
}

#[test]
fn numbers_of_several_data_sets_stand_beside_ours_of_that_name() {
    let out = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/published");
    let names = ["VOC07 Test", "COCO14 Val", "mine"];
    let models = [(0, "VGG16"), (1, "VGG16"), (2, "VGG16")];
    let mut config = config_on(&names, &models, &["gradcam", "center-point"], &["pointing", "energy"]);
    let facts = facts(&config);
    let of = |rows: &[std::collections::HashMap<String, String>], wanted: [&str; 5]| {
        let keys = ["dataset", "method", "ucag", "metric", "subset"];
        let key = |row: &&std::collections::HashMap<String, String>| keys.iter().zip(wanted).all(|(k, v)| row[*k] == v);
        rows.iter().find(key).unwrap()["published"].clone()
    };
    config.output.published = Some(root.join("table2.csv"));
    write(&summary(&config, &facts, &[], out.path())).unwrap();
    let table = rows(&out.path().join("made-up.csv"));
    // Read off the paper's Table 2.
    for (dataset, all, difficult) in
        [("VOC07 Test", "69.600000", "42.400000"), ("COCO14 Val", "27.800000", "19.500000")]
    {
        assert_eq!(of(&table, [dataset, "center-point", "false", "pointing", "all"]), all);
        assert_eq!(of(&table, [dataset, "center-point", "false", "pointing", "difficult"]), difficult);
    }
    assert!(table.iter().filter(|row| row["dataset"] == "mine").all(|row| row["published"].is_empty()));
    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    assert!(page.contains("measured there on COCO14 Val, VOC07 Test; not measured here.\n"), "{page}");
    // A control that has a published number is shown with it.
    assert!(page.lines().any(|line| line.starts_with("| Center ") && line.contains("69.60")), "{page}");

    // Table 3 names families of networks.
    config.output.published = Some(root.join("table3.csv"));
    write(&summary(&config, &facts, &[], out.path())).unwrap();
    let table = rows(&out.path().join("made-up.csv"));
    assert_eq!(of(&table, ["VOC07 Test", "gradcam", "false", "energy", "all"]), "56.600000");
    assert_eq!(of(&table, ["VOC07 Test", "gradcam", "true", "energy", "difficult"]), "43.600000");
    assert_eq!(of(&table, ["VOC07 Test", "gradcam", "false", "pointing", "all"]), "");
}
