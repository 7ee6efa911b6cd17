//! "Did you mean": the nearest valid name to a mistyped one.

/// The candidate nearest to `name`, where one is near enough to have been meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}

/// The tail of a message: `; did you mean 'x'?`, or nothing.
pub fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|s| format!("; did you mean '{s}'?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn suggests_the_near_and_nothing_for_the_far() {
        let names = ["gradcam", "gradcam++", "xgradcam", "uniform"];
        assert_eq!(super::nearest("gradcm", names).as_deref(), Some("gradcam"));
        assert_eq!(super::nearest("XGradCam", names).as_deref(), Some("xgradcam"));
        assert_eq!(super::nearest("lime", names), None);
    }
}
