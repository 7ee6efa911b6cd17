//! Device names: `cpu`, `cuda:N`.

use tch::Device;

use super::error::{ConfigErrors, Origin, Report};

/// The variable that NVIDIA's libraries read before they round what goes into convolutions and
/// products of matrices to TensorFloat-32, as libtorch has them do unless they are told otherwise.
/// crate tch can't tell them.
const TF32: &str = "NVIDIA_TF32_OVERRIDE";

/// The device that an argument `--device` names.
///
/// # Errors
/// As for `compute.device` in a config.
pub fn from_argument(name: &str) -> Result<Device, ConfigErrors> {
    let report = Report::new(None);
    let device = here(name);
    if let Err(problem) = &device {
        report.add(&Origin::Argument(format!("--device {name}")), problem.clone());
    }
    report.finish(device.ok())
}

/// The device of this name on this machine.
///
/// # Errors
/// What is wrong with the name, or why the device can't be used and what to do.
pub(super) fn here(name: &str) -> Result<Device, String> {
    // Without need, libtorch isn't asked for CUDA devices, which wakes the driver.
    let count = if name == "cpu" { 0 } else { usize::try_from(tch::Cuda::device_count()).unwrap_or(0) };
    let device = device(name, count)?;
    full_precision(device, std::env::var(TF32).ok().as_deref())
}

/// The device, if what is computed on it has the 24 bits of significand that float32 stands for.
fn full_precision(device: Device, tf32: Option<&str>) -> Result<Device, String> {
    match (device, tf32) {
        (Device::Cuda(_), tf32) if tf32 != Some("0") => Err(format!(
            "on this device convolutions would be computed with 11 bits of significand (TensorFloat-32) instead of 24; set {TF32}=0, as cargo run does"
        )),
        _ => Ok(device),
    }
}

/// The device of this name, where there are so many CUDA devices.
///
/// # Errors
/// What is wrong with the name, or why there is no such device and what to do.
fn device(name: &str, cuda_devices: usize) -> Result<Device, String> {
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    // Of its own, parse takes '+1'.
    let index = name.strip_prefix("cuda:").filter(|index| index.chars().all(|c| c.is_ascii_digit()));
    let Some(index) = index.and_then(|index| index.parse::<usize>().ok()) else {
        return Err(format!("unknown device '{name}'; expected cpu or cuda:N, for instance cuda:0"));
    };
    match cuda_devices {
        0 => Err(format!(
            "{name} was asked for, but this build of libtorch sees no CUDA device; \
             install the CUDA build with scripts/setup --cuda, check the driver with nvidia-smi, or use cpu"
        )),
        count if index < count => Ok(Device::Cuda(index)),
        1 => Err(format!("{name} was asked for, but the only CUDA device is cuda:0")),
        count => Err(format!("{name} was asked for, but the CUDA devices are cuda:0 to cuda:{}", count - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_device_that_is_there() {
        assert_eq!(device("cpu", 0), Ok(Device::Cpu));
        assert_eq!(device("cuda:0", 1), Ok(Device::Cuda(0)));
        assert_eq!(device("cuda:1", 2), Ok(Device::Cuda(1)));
    }

    #[test]
    fn refuses_a_device_that_is_not_there() {
        assert!(device("cuda:0", 0).unwrap_err().contains("scripts/setup --cuda"));
        assert!(device("cuda:1", 1).unwrap_err().ends_with("the only CUDA device is cuda:0"));
        assert!(device("cuda:2", 2).unwrap_err().ends_with("cuda:0 to cuda:1"));
    }

    #[test]
    fn refuses_to_round_on_a_gpu() {
        for tf32 in [None, Some(""), Some("1")] {
            let problem = full_precision(Device::Cuda(0), tf32).unwrap_err();
            assert!(problem.contains("set NVIDIA_TF32_OVERRIDE=0"), "{problem}");
            assert_eq!(full_precision(Device::Cpu, tf32), Ok(Device::Cpu));
        }
        assert_eq!(full_precision(Device::Cuda(1), Some("0")), Ok(Device::Cuda(1)));
    }

    #[test]
    fn refuses_what_is_no_device() {
        for name in ["", "gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "CPU", "cuda:99999999999999999999"] {
            assert!(device(name, 2).unwrap_err().starts_with(&format!("unknown device '{name}'")), "{name}");
        }
    }
}
