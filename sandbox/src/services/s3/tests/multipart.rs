//! Multipart uploads.

use super::*;
use crate::testing::texts;

fn begin(cloud: &mut TestCloud, headers: &[(&'static str, &str)]) -> String {
    let mut request = ask("POST", "/abc/k?uploads");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    text(&request.read(cloud), "UploadId")
}

fn part(cloud: &mut TestCloud, upload: &str, number: u16, body: &Bytes) -> String {
    let target = format!("/abc/k?partNumber={number}&uploadId={upload}");
    header(&ask("PUT", &target).body(body.clone()).ok(cloud), "etag")
}

fn complete(upload: &str, parts: &[(u16, &str)]) -> Ask {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    ask("POST", &format!("/abc/k?uploadId={upload}")).body(body)
}

#[test]
fn parts_become_one_object_under_a_condition() {
    let mut cloud = with_bucket();
    let upload = begin(&mut cloud, &[("x-amz-meta-m", "1"), ("x-amz-checksum-algorithm", "SHA256")]);
    let (large, small) = (Bytes::from(vec![b'z'; 5 * 1024 * 1024]), Bytes::from_static(b"y"));
    let (one, two) = (part(&mut cloud, &upload, 1, &large), part(&mut cloud, &upload, 2, &small));
    let listed = ask("GET", &format!("/abc/k?uploadId={upload}")).read(&mut cloud);
    assert_eq!(texts(&listed, "Size"), ["5242880", "1"]);
    let mut cloud = cloud.reopened();
    let done = || complete(&upload, &[(1, &one), (2, &two)]).header("if-none-match", "*");
    ask("PUT", "/abc/k").body("taken").ok(&mut cloud);
    assert_eq!(done().refused(&mut cloud), error(412, "PreconditionFailed"));
    ask("DELETE", "/abc/k").ok(&mut cloud);
    let answer = done().read(&mut cloud);
    assert!(
        text(&answer, "ETag").ends_with("-2&quot;") || text(&answer, "ETag").ends_with("-2\""),
        "{answer}"
    );
    assert!(text(&answer, "ChecksumSHA256").ends_with("-2"));
    assert_eq!(text(&answer, "ChecksumType"), "COMPOSITE");
    let head = ask("HEAD", "/abc/k").ok(&mut cloud);
    assert_eq!(
        (header(&head, "content-length").as_str(), header(&head, "x-amz-meta-m").as_str()),
        ("5242881", "1")
    );
    assert_eq!(done().refused(&mut cloud), error(404, "NoSuchUpload"));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let mut cloud = with_bucket();
    let upload = begin(&mut cloud, &[]);
    let small = Bytes::from_static(b"y");
    let etag = part(&mut cloud, &upload, 1, &small);
    part(&mut cloud, &upload, 2, &small);
    let refused = |cloud: &mut TestCloud, parts: &[(u16, &str)]| complete(&upload, parts).refused(cloud);
    assert_eq!(refused(&mut cloud, &[(1, &etag), (2, &etag)]), error(400, "EntityTooSmall"));
    assert_eq!(refused(&mut cloud, &[(2, &etag), (1, &etag)]), error(400, "InvalidPartOrder"));
    assert_eq!(refused(&mut cloud, &[(1, "\"other\"")]), error(400, "InvalidPart"));
    assert_eq!(refused(&mut cloud, &[(3, &etag)]), error(400, "InvalidPart"));
    assert_eq!(refused(&mut cloud, &[]), error(400, "MalformedXML"));
    let zero = ask("PUT", &format!("/abc/k?partNumber=0&uploadId={upload}"));
    assert_eq!(zero.refused(&mut cloud), error(400, "InvalidArgument"));
    assert_eq!(ask("GET", "/abc/k").refused(&mut cloud), error(404, "NoSuchKey"));
}

#[test]
fn uploads_under_way_are_listed_and_go_with_an_abort_or_their_bucket() {
    let mut cloud = with_bucket();
    let first = begin(&mut cloud, &[]);
    let second = begin(&mut cloud, &[]);
    let listed = ask("GET", "/abc?uploads").read(&mut cloud);
    assert_eq!(texts(&listed, "UploadId"), [first.clone(), second.clone()]);
    let page = ask("GET", "/abc?uploads&max-uploads=1").read(&mut cloud);
    let (key, id) = (text(&page, "NextKeyMarker"), text(&page, "NextUploadIdMarker"));
    let next = ask("GET", &format!("/abc?uploads&key-marker={key}&upload-id-marker={id}")).read(&mut cloud);
    assert_eq!(texts(&next, "UploadId"), [second]);
    ask("DELETE", &format!("/abc/k?uploadId={first}")).ok(&mut cloud);
    assert_eq!(
        ask("DELETE", &format!("/abc/k?uploadId={first}")).refused(&mut cloud),
        error(404, "NoSuchUpload")
    );
    ask("DELETE", "/abc").ok(&mut cloud);
    ask("PUT", "/abc").body(in_us_west_2()).ok(&mut cloud);
    assert!(texts(&ask("GET", "/abc?uploads").read(&mut cloud), "UploadId").is_empty());
}
