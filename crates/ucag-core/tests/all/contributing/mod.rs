//! The explainer that CONTRIBUTING.md adds as an example, compiled from the text that stands there
//! and run.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod elementwise;

use tch::{Device, Kind, Tensor};
use ucag_core::explain::Role;
use ucag_core::network::{Checkpoint, Network};
use ucag_core::protocol::{Coverage, MapProtocol, ViewWeight};
use ucag_core::ucag::{ExplainRequest, plain, ucag};

#[test]
fn the_file_is_what_the_document_shows() {
    let document = include_str!("../../../../../CONTRIBUTING.md");
    let file = include_str!("elementwise.rs");
    assert!(document.contains(&format!("\n```rust\n{file}```\n")), "CONTRIBUTING.md's example differs from the test's");
    assert!(document.contains("`pub mod elementwise;`") && document.contains("`&cam::elementwise::METHOD,`"));
    assert_eq!(elementwise::METHOD.role, Role::Published);
}

/// A DenseNet of one layer, which adds nothing. The two channels that matter are red and green at
/// every second pixel, as far as they are positive, of which the stem's pool keeps the largest of 3
/// × 3. The class's logit is the mean of 3 · red − green.
fn network() -> Network {
    let weight = |name: &str, outputs: i64, side: i64, values: &[f32]| {
        let inputs = values.len() as i64 / outputs;
        let weight = Tensor::zeros([outputs, inputs, side, side], (Kind::Float, Device::Cpu));
        weight.select(3, side / 2).select(2, side / 2).copy_(&Tensor::from_slice(values).view([outputs, inputs]));
        vec![(format!("features.{name}.weight"), weight)]
    };
    let norm = |name: &str, channels: i64| {
        let part = |(part, value): (&str, f64)| {
            let values = Tensor::full([channels], value, (Kind::Float, Device::Cpu));
            (format!("features.{name}.{part}"), values)
        };
        let identity = [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0 - 1e-5)];
        identity.map(part).into()
    };
    let layer = "denseblock1.denselayer1";
    let classifier = [
        ("classifier.weight".to_owned(), Tensor::from_slice(&[3.0f32, -1.0, 0.0]).view([1, 3])),
        ("classifier.bias".to_owned(), Tensor::from_slice(&[0.0f32])),
    ];
    let tensors = [
        weight("conv0", 2, 7, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        norm("norm0", 2),
        norm(&format!("{layer}.norm1"), 2),
        weight(&format!("{layer}.conv1"), 1, 1, &[0.0, 0.0]),
        norm(&format!("{layer}.norm2"), 1),
        weight(&format!("{layer}.conv2"), 1, 3, &[0.0]),
        norm("norm5", 3),
        classifier.into(),
    ];
    Network::from_checkpoint("densenet", &Checkpoint::from_tensors("made", tensors.into_iter().flatten())).unwrap()
}

#[test]
fn it_explains_as_worked_out_by_hand_with_ucag_and_without() {
    let network = network();
    // Red counts the pixels, from 1; green is as large as red, so that 3 · red − green is positive
    // everywhere.
    let red = Tensor::arange(64, (Kind::Float, Device::Cpu)).view([1, 1, 8, 8]) + 1.0;
    let image = Tensor::cat(&[&red, &red, &red], 1);
    let layers = network.layers(None, None).unwrap();
    let request =
        ExplainRequest { network: &network, image: &image, classes: &[0], layers, views_per_batch: 5, seed: 0 };
    let method = elementwise::METHOD.explainer();
    let values = |map: &Tensor| Vec::<f32>::try_from(map.contiguous().view([-1])).unwrap();
    let near = |ours: &[f32], expected: &[f32]| {
        assert_eq!(ours.len(), expected.len());
        assert!(ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4 * b), "{ours:?}, not {expected:?}");
    };
    let red = |row: usize, column: usize| (8 * row + column + 1) as f32;

    // Red's gradient is 3 over 4 positions; green's is negative, and counts for nothing. The
    // largest of 3 × 3 is the last of them.
    let map = &plain(&request, &[&*method]).unwrap()[0][0];
    assert_eq!(map.size(), [1, 1, 2, 2]);
    let expected: Vec<f32> = (0..4).map(|i| 3.0 / 4.0 * red(i / 2 * 4 + 2, i % 2 * 4 + 2)).collect();
    near(&values(map), &expected);

    // Sixteen views of 2 × 2 pixels side by side: one position each, so that the gradient is 3.
    let protocol = MapProtocol {
        n: 4,
        rho: 0.25,
        alpha: 1.0,
        coverage: Coverage::True,
        confidence: ViewWeight::None,
        ..MapProtocol::official()
    };
    let map = &ucag(&request, &[&*method], &protocol).unwrap()[0][0];
    assert_eq!(map.size(), [1, 1, 8, 8]);
    let expected: Vec<f32> = (0..64).map(|i| 3.0 * red(i / 16 * 2, i % 8 / 2 * 2)).collect();
    near(&values(map), &expected);
}
