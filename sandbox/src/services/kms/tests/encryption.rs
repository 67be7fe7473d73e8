//! Encryption, and who else depends on keys.

use serde_json::json;

use super::{cloud, ok, refused};

#[test]
fn what_was_encrypted_is_read_with_its_key_and_context_only() {
    let (mut cloud, id) = cloud();
    let context = json!({"b": "2", "a": "1"});
    let request = json!({"KeyId": id, "Plaintext": "aGk=", "EncryptionContext": context});
    let blob = ok(&mut cloud, "Encrypt", request)["CiphertextBlob"].take();
    let mut cloud = cloud.reopened();
    let read = |context: serde_json::Value| json!({"CiphertextBlob": blob, "EncryptionContext": context});
    assert_eq!(ok(&mut cloud, "Decrypt", read(json!({"a": "1", "b": "2"})))["Plaintext"], "aGk=");
    assert_eq!(refused(&mut cloud, "Decrypt", read(json!({"a": "1"}))), "InvalidCiphertextException");
    let mut tampered = blob.as_str().unwrap().to_owned();
    tampered.replace_range(60..61, if &tampered[60..61] == "A" { "B" } else { "A" });
    let tampered = json!({"CiphertextBlob": tampered, "EncryptionContext": context});
    assert_eq!(refused(&mut cloud, "Decrypt", tampered), "InvalidCiphertextException");
    ok(&mut cloud, "DisableKey", json!({"KeyId": id}));
    assert_eq!(refused(&mut cloud, "Decrypt", read(context.clone())), "DisabledException");
    assert_eq!(
        refused(&mut cloud, "Encrypt", json!({"KeyId": id, "Plaintext": "aGk="})),
        "DisabledException"
    );
}

#[test]
fn data_keys_come_with_and_without_their_text() {
    let (mut cloud, id) = cloud();
    let made = ok(&mut cloud, "GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"}));
    let read = ok(&mut cloud, "Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]}));
    assert_eq!(read["Plaintext"], made["Plaintext"]);
    let hidden = json!({"KeyId": id, "NumberOfBytes": 64});
    assert!(ok(&mut cloud, "GenerateDataKeyWithoutPlaintext", hidden).get("Plaintext").is_none());
    assert_eq!(refused(&mut cloud, "GenerateDataKey", json!({"KeyId": id})), "ValidationException");
}

#[test]
fn a_secret_needs_a_key_that_can_be_used() {
    let (mut cloud, id) = cloud();
    let mut secrets = |operation: &str, body: serde_json::Value| {
        let response = cloud.json("secretsmanager", &format!("secretsmanager.{operation}"), &body).unwrap();
        response.into_body()["__type"].as_str().map(str::to_owned)
    };
    let named = |key: &str| json!({"Name": "app", "SecretString": "x", "KmsKeyId": key});
    let missing = secrets("CreateSecret", named("alias/absent"));
    assert_eq!(missing.as_deref(), Some("ResourceNotFoundException"));
    assert_eq!(secrets("CreateSecret", named(&id)), None);
    assert_eq!(
        secrets("UpdateSecret", json!({"SecretId": "app", "KmsKeyId": "alias/aws/secretsmanager"})),
        None
    );
    assert_eq!(secrets("UpdateSecret", json!({"SecretId": "app", "KmsKeyId": id})), None);
    ok(&mut cloud, "DisableKey", json!({"KeyId": id}));
    let mut secrets = |operation: &str, body: serde_json::Value| {
        let response = cloud.json("secretsmanager", &format!("secretsmanager.{operation}"), &body).unwrap();
        response.into_body()["__type"].as_str().map(str::to_owned)
    };
    let put = json!({"SecretId": "app", "SecretString": "y"});
    assert_eq!(secrets("PutSecretValue", put).as_deref(), Some("EncryptionFailure"));
    assert_eq!(secrets("GetSecretValue", json!({"SecretId": "app"})).as_deref(), Some("DecryptionFailure"));
    assert_eq!(secrets("UpdateSecret", json!({"SecretId": "app", "Description": "d"})), None);
}
