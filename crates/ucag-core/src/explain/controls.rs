//! Control rows: maps that know nothing of the network, and that a method must beat.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{Entry, Explainer, Method, Role};
use crate::Result;
use crate::image_ops::luma;
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;

const SOURCE: &str = "control";

/// Registry entry.
pub(crate) static RANDOM: Method = Method::new(Entry {
    id: "random",
    name: "Random map",
    summary: "a 7×7 grid of uniform random numbers, seeded by run and sample, at the resolution of a CAM",
    source: SOURCE,
    map_kind: MapKind::MinMax,
    make: |_| Arc::new(Control(random)),
})
.role(Role::Control)
.black_box();

/// Registry entry.
pub(crate) static UNIFORM: Method = Method::new(Entry {
    id: "uniform",
    name: "Uniform map",
    summary: "the same value everywhere: all pixels tied, so the tie rule alone decides",
    source: SOURCE,
    map_kind: MapKind::MinMax,
    make: |_| Arc::new(Control(uniform)),
})
.role(Role::Control)
.black_box();

/// Registry entry.
pub(crate) static CENTER: Method = Method::new(Entry {
    id: "center",
    name: "Centre Gaussian",
    summary: "a Gaussian around the image's centre, σ a quarter of each side",
    source: SOURCE,
    map_kind: MapKind::MinMax,
    make: |_| Arc::new(Control(center)),
})
.role(Role::Control)
.black_box();

/// Registry entry.
pub(crate) static EDGE: Method = Method::new(Entry {
    id: "edge",
    name: "Edge map",
    summary: "Sobel gradient magnitude of the image's luma",
    source: SOURCE,
    map_kind: MapKind::MinMax,
    make: |_| Arc::new(Control(edge)),
})
.role(Role::Control)
.black_box();

/// Registry entry.
pub(crate) static POINT: Method = Method::new(Entry {
    id: "center-point",
    name: "Center",
    summary: "the image's centre as a point: the pointing game's own baseline",
    source: SOURCE,
    map_kind: MapKind::Point,
    make: |_| Arc::new(Control(uniform)),
})
.role(Role::Control)
.black_box()
.not_with_ucag("it is the centre of the image, not a map of what a view shows");

/// A map as a function of the views alone.
#[derive(Debug)]
pub(super) struct Control(pub(super) fn(&Pass<'_>) -> Result<Tensor>);

impl Explainer for Control {
    fn needs(&self, _: &Network, _: &Layers) -> Result<Needs> {
        Ok(Needs::default())
    }

    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        Ok((self.0)(pass)?.f_to_device(pass.views().device())?)
    }
}

/// Each view has a generator of its own, so that batching doesn't change its map.
fn random(pass: &Pass<'_>) -> Result<Tensor> {
    const SIDE: usize = 7;
    let count = pass.views().size()[0];
    let values: Vec<f32> = (0..count as u64)
        .flat_map(|view| {
            let mut rng = ChaCha8Rng::seed_from_u64(pass.seed().wrapping_add(view));
            (0..SIDE * SIDE).map(|_| rng.random::<f32>()).collect::<Vec<_>>()
        })
        .collect();
    Ok(Tensor::f_from_slice(&values)?.f_view([count, 1, SIDE as i64, SIDE as i64])?)
}

pub(super) fn uniform(pass: &Pass<'_>) -> Result<Tensor> {
    Ok(Tensor::f_ones([pass.views().size()[0], 1, 1, 1], (Kind::Float, tch::Device::Cpu))?)
}

fn center(pass: &Pass<'_>) -> Result<Tensor> {
    let shape = pass.views().size();
    let (count, height, width) = (shape[0], shape[2], shape[3]);
    let axis = |side: i64| -> Vec<f32> {
        let distance = |i: i64| ((i as f64 + 0.5) / side as f64 - 0.5) / 0.25;
        (0..side).map(|i| (-0.5 * distance(i).powi(2)).exp() as f32).collect()
    };
    let vertical = Tensor::from_slice(&axis(height)).f_view([1, 1, height, 1])?;
    let map = vertical.f_mul(&Tensor::from_slice(&axis(width)).f_view([1, 1, 1, width])?)?;
    Ok(map.f_expand([count, 1, height, width], false)?.f_contiguous()?)
}

fn edge(pass: &Pass<'_>) -> Result<Tensor> {
    // Replicated borders: a frame of zeros would be the strongest edge of all.
    let grey = luma(pass.views())?.f_replication_pad2d([1, 1, 1, 1])?;
    let sobel = Tensor::from_slice(&[-1f32, 0., 1., -2., 0., 2., -1., 0., 1.]).f_view([1, 1, 3, 3])?;
    let sobel = sobel.f_to_device(grey.device())?;
    let along = |kernel: &Tensor| grey.f_conv2d(kernel, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1);
    let (dx, dy) = (along(&sobel)?, along(&sobel.f_transpose(2, 3)?.f_contiguous()?)?);
    Ok(dx.f_hypot(&dy)?)
}
