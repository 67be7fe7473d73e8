//! What `Encrypt` makes of a text: a stream of digests over it and a seal behind it. Enough that it can be neither read nor
//! changed by chance; no cipher for anything but a sandbox.

use sha2::{Digest, Sha256};

const SEAL: usize = 32;
const NONCE: usize = 32;
const ID: usize = 36;

/// Encrypts: the key's id, the nonce, the covered text, the seal.
pub(super) fn encrypt(id: &str, material: &str, nonce: [u8; NONCE], plain: &[u8], context: &str) -> Vec<u8> {
    let mut sealed = id.as_bytes().to_vec();
    sealed.extend(nonce);
    sealed.extend(covered(material, &nonce, plain));
    let seal = digest(&[b"seal", material.as_bytes(), context.as_bytes(), &sealed]);
    sealed.extend(seal);
    sealed
}

/// The id of the key that a blob was encrypted with.
pub(super) fn key_id(blob: &[u8]) -> Option<&str> {
    blob.get(..ID).and_then(|id| std::str::from_utf8(id).ok())
}

/// Decrypts; `None` if the blob or the context is not what it was.
pub(super) fn decrypt(material: &str, blob: &[u8], context: &str) -> Option<Vec<u8>> {
    let (sealed, seal) = blob.split_at_checked(blob.len().checked_sub(SEAL)?)?;
    if digest(&[b"seal", material.as_bytes(), context.as_bytes(), sealed]) != seal {
        return None;
    }
    let nonce = sealed.get(ID..ID + NONCE)?;
    Some(covered(material, nonce, sealed.get(ID + NONCE..)?))
}

fn covered(material: &str, nonce: &[u8], text: &[u8]) -> Vec<u8> {
    let blocks = text.chunks(32).zip(0_u64..).flat_map(|(block, number)| {
        let cover = digest(&[b"cover", material.as_bytes(), nonce, &number.to_le_bytes()]);
        block.iter().zip(cover).map(|(byte, cover)| byte ^ cover).collect::<Vec<u8>>()
    });
    blocks.collect()
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
