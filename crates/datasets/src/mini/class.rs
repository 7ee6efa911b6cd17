//! Classes: shapes with textures.

/// Outline of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A full circle.
    Disc,
    /// A disc with a round hole, through which the background shows.
    Ring,
    /// A square.
    Square,
    /// A star of five points.
    Star,
    /// An equilateral triangle.
    Triangle,
}

/// Surface of an object: two tones in equal parts, so that only their arrangement differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Texture {
    /// A chessboard.
    Checks,
    /// Parallel stripes.
    Stripes,
}

/// A class of the embedded data: a shape with a texture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Class {
    /// The outline.
    pub shape: Shape,
    /// The surface.
    pub texture: Texture,
}

impl Shape {
    /// Every shape, by folder name.
    pub const ALL: [Self; 5] = [Self::Disc, Self::Ring, Self::Square, Self::Star, Self::Triangle];

    /// One word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Disc => "disc",
            Self::Ring => "ring",
            Self::Square => "square",
            Self::Star => "star",
            Self::Triangle => "triangle",
        }
    }
}

impl Texture {
    /// Every texture, by folder name.
    pub const ALL: [Self; 2] = [Self::Checks, Self::Stripes];
}

impl Class {
    /// Number of classes.
    pub const COUNT: usize = Shape::ALL.len() * Texture::ALL.len();

    /// Every class in index order, which is the sorted order of the folder names, as ImageFolder
    /// numbers them.
    pub fn all() -> impl Iterator<Item = Self> {
        Shape::ALL.into_iter().flat_map(|shape| Texture::ALL.map(|texture| Self { shape, texture }))
    }

    /// The class whose turn it is where classes take turns in index order.
    #[must_use]
    pub fn in_turn(turn: u64) -> Self {
        let index = (turn % Self::COUNT as u64) as usize;
        Self { shape: Shape::ALL[index / Texture::ALL.len()], texture: Texture::ALL[index % Texture::ALL.len()] }
    }

    /// Index of the class, below [`Class::COUNT`].
    #[must_use]
    pub fn index(self) -> usize {
        self.shape as usize * Texture::ALL.len() + self.texture as usize
    }

    /// Name of the folder that holds its images.
    #[must_use]
    pub fn folder(self) -> String {
        let texture = match self.texture {
            Texture::Checks => "checks",
            Texture::Stripes => "stripes",
        };
        format!("{}_{texture}", self.shape.name())
    }

    /// Readable name.
    #[must_use]
    pub fn name(self) -> String {
        let texture = match self.texture {
            Texture::Checks => "checked",
            Texture::Stripes => "striped",
        };
        format!("{texture} {}", self.shape.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbered_as_their_folders_sort() {
        let all: Vec<_> = Class::all().collect();
        assert_eq!(all.len(), Class::COUNT);
        let mut folders: Vec<_> = all.iter().map(|class| class.folder()).collect();
        assert!(folders.is_sorted());
        folders.dedup();
        assert_eq!(folders.len(), 10);
        for (index, class) in all.iter().enumerate() {
            assert_eq!((class.index(), Class::in_turn(index as u64 + 30)), (index, *class));
        }
        assert_eq!((all[9].folder(), all[9].name()), ("triangle_stripes".into(), "striped triangle".into()));
    }
}
