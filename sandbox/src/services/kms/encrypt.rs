//! `Encrypt`, `Decrypt` and data keys. <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::errors::validation;
use super::key::{arn, find, named_or_aliased, resolve};
use super::{WIRE, cipher};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The longest text that `Encrypt` takes, in bytes.
const LONGEST: usize = 4096;

pub(super) fn encrypt(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let id = named_or_aliased(call, &members)?;
    let plain = blob(&members, "Plaintext")?;
    members.one_of("EncryptionAlgorithm", &["SYMMETRIC_DEFAULT"])?;
    let context = context(&members)?;
    call.document.finish()?;
    if !(1..=LONGEST).contains(&plain.len()) {
        return Err(validation(format!("Plaintext must have 1 to {LONGEST} bytes.")));
    }
    let blob = sealed(call, &id, &plain, &context)?;
    Ok(WIRE.answer(&json!({
        "CiphertextBlob": blob,
        "KeyId": arn(call, &id),
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    })))
}

pub(super) fn decrypt(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let blob = blob(&members, "CiphertextBlob")?;
    let wanted = members.text("KeyId")?.map(|id| resolve(call, id)).transpose()?;
    members.one_of("EncryptionAlgorithm", &["SYMMETRIC_DEFAULT"])?;
    let context = context(&members)?;
    call.document.finish()?;
    let refused = || ServiceError::new(400, "InvalidCiphertextException", "");
    let id = cipher::key_id(&blob).ok_or_else(refused)?;
    if wanted.is_some_and(|wanted| wanted != id) {
        let text = "The key ID in the request does not identify a CMK that can perform this operation.";
        return Err(ServiceError::new(400, "IncorrectKeyException", text));
    }
    let key = call.tables.kms.keys.find(&call.scope, id).ok_or_else(refused)?;
    let arn = arn(call, id);
    key.check_enabled(&arn)?;
    let plain = cipher::decrypt(&key.material, &blob, &context).ok_or_else(refused)?;
    Ok(WIRE.answer(&json!({
        "Plaintext": BASE64.encode(plain),
        "KeyId": arn,
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    })))
}

pub(super) fn generate_data_key(call: &mut Call<'_>) -> Reply {
    let (mut answer, plain) = data_key(call)?;
    answer["Plaintext"] = json!(BASE64.encode(plain));
    Ok(WIRE.answer(&answer))
}

pub(super) fn generate_data_key_without_plaintext(call: &mut Call<'_>) -> Reply {
    Ok(WIRE.answer(&data_key(call)?.0))
}

fn data_key(call: &mut Call<'_>) -> Result<(Value, Vec<u8>), ServiceError> {
    let members = call.document.members();
    let id = named_or_aliased(call, &members)?;
    let spec = members.one_of("KeySpec", &["AES_256", "AES_128"])?;
    let bytes = members.integer("NumberOfBytes", 1, 1024)?;
    let context = context(&members)?;
    call.document.finish()?;
    let length = match (spec, bytes) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(bytes)) => usize::try_from(bytes).unwrap_or_default(),
        _ => {
            return Err(validation("Please specify either number of bytes or key spec."));
        }
    };
    let mut plain = Vec::new();
    while plain.len() < length {
        plain.extend(call.identifiers.bytes());
    }
    plain.truncate(length);
    let blob = sealed(call, &id, &plain, &context)?;
    Ok((json!({"CiphertextBlob": blob, "KeyId": arn(call, &id)}), plain))
}

fn sealed(call: &mut Call<'_>, id: &str, plain: &[u8], context: &str) -> Result<String, ServiceError> {
    let nonce = call.identifiers.bytes();
    let key = find(call, id)?;
    let arn = arn(call, id);
    key.check_enabled(&arn)?;
    Ok(BASE64.encode(cipher::encrypt(id, &key.material, nonce, plain, context)))
}

fn blob(members: &Members<'_>, name: &str) -> Result<Vec<u8>, ServiceError> {
    BASE64.decode(members.required(name)?).map_err(|_| validation(format!("{name} is not Base64.")))
}

/// The context in a canonical form: members are ordered by their names.
fn context(members: &Members<'_>) -> Result<String, ServiceError> {
    let map = members.map("EncryptionContext")?;
    let mut pairs: Vec<_> = map.into_iter().flatten().collect();
    pairs.sort_by_key(|(name, _)| name.as_str());
    Ok(json!(pairs).to_string())
}
