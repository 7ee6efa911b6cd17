//! Device names: `cpu`, `cuda:N`.

use tch::Device;

/// The device of this name, where there are so many CUDA devices.
///
/// # Errors
/// What is wrong with the name, or why there is no such device and what to do.
pub(super) fn device(name: &str, cuda_devices: usize) -> Result<Device, String> {
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
    fn refuses_what_is_no_device() {
        for name in ["", "gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "CPU", "cuda:99999999999999999999"] {
            assert!(device(name, 2).unwrap_err().starts_with(&format!("unknown device '{name}'")), "{name}");
        }
    }
}
