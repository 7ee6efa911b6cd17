//! Explainers that go back through every layer: gradients, excitation backprop, FullGrad.

pub mod backprop;
pub mod excitation;
pub mod fullgrad;
pub mod gradient_input;
pub mod integrated_gradients;
pub(crate) mod path_gradient;
pub mod smoothgrad;
