//! Archives: which compression a file has, and the decoder for it.
//!
//! Told by the first bytes, never by the name. All decoders stream, and refuse an archive for
//! which they would need much memory: a run has to do with 48 MiB in all.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How many bytes a decoder of xz may look back in what it has written. Enough for level 7.
const MOST_XZ_WINDOW: u64 = 16 << 20;

/// The same for zstd, whose decoder takes up to three times that. Enough for every level but the
/// `--ultra` and `--long` ones, and what RFC 8878 asks of every decoder.
const MOST_ZSTD_WINDOW: u64 = 8 << 20;

/// What the decoder needs besides: xz counts it in.
const XZ_OVERHEAD: u64 = 1 << 20;

/// How many bytes tell the compression of a file.
pub(super) const MAGIC_BYTES: usize = 10;

/// How much is read from the file at once.
const READ_BYTES: usize = 64 * 1024;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// gzip, of one or several members.
    Gzip,
    /// Zstandard, of one or several frames.
    Zstd,
    /// xz, of one or several streams.
    Xz,
    /// bzip2, of one or several streams.
    Bzip2,
}

impl Compression {
    /// Told from the first bytes of a file; `None` for one that is not compressed.
    pub(super) fn of(magic: &[u8]) -> Option<Self> {
        // A log could begin with "BZh9"; the beginning of a block, or the end of an empty
        // archive, follows it.
        let is_bzip2 = |rest: &[u8]| match rest {
            [b'1'..=b'9', block @ ..] => {
                block.starts_with(b"1AY&SY") || block.starts_with(b"\x17rE8P\x90")
            }
            _ => false,
        };
        if magic.starts_with(b"\x1f\x8b\x08") {
            Some(Self::Gzip)
        } else if magic.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Self::Zstd)
        } else if magic.starts_with(b"\xfd7zXZ\0") {
            Some(Self::Xz)
        } else if magic.strip_prefix(b"BZh").is_some_and(is_bzip2) {
            Some(Self::Bzip2)
        } else {
            None
        }
    }

    /// A decoder of the whole archive.
    pub(super) fn decoder(self, archive: impl Read + 'static) -> Box<dyn Read> {
        let archive = BufReader::with_capacity(READ_BYTES, archive);
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(archive)),
            Self::Zstd => Box::new(ZstdReader::new(archive)),
            Self::Xz => {
                let limit = u32::try_from((MOST_XZ_WINDOW + XZ_OVERHEAD) >> 10).unwrap_or(u32::MAX);
                Box::new(XzReader::new_mem_limit(archive, true, limit))
            }
            Self::Bzip2 => Box::new(MultiBzDecoder::new(archive)),
        }
    }
}

/// All frames of a Zstandard archive; the library reads one.
struct ZstdReader<R> {
    archive: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> ZstdReader<R> {
    fn new(archive: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST_ZSTD_WINDOW);
        Self { archive, decoder }
    }

    /// Goes to the next frame; `false` if there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.archive.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.archive) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => self.skip(u64::from(length))?,
                Err(error @ FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::Error::new(io::ErrorKind::OutOfMemory, error));
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// Passes over a frame that holds no content.
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.archive.by_ref().take(length), &mut io::sink())?;
        if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The library calculates the checksum and leaves comparing to its user.
    fn check(&self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(written) if self.decoder.get_calculated_checksum() != Some(written) => {
                Err(io::Error::other("the checksum of a frame does not match"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.archive, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
                continue;
            }
            self.check()?;
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}
