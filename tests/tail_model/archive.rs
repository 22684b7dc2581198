//! Archives, as the usual tools make them.

use std::io::Write;

use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gz,
    Zst,
    Bz2,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Gz, Self::Zst, Self::Bz2];

    /// The ending that the tool adds to the name.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Gz => ".gz",
            Self::Zst => ".zst",
            Self::Bz2 => ".bz2",
        }
    }

    pub(crate) fn pack(self, content: &[u8]) -> Vec<u8> {
        match self {
            Self::Gz => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zst => compress_to_vec(content, CompressionLevel::Fastest),
            Self::Bz2 => {
                let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
        }
    }
}
