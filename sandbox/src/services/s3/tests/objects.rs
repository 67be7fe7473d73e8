//! Objects: conditions, versions, digests and lists.

use super::*;
use crate::testing::texts;

#[test]
fn an_object_comes_back_with_its_headers_and_from_another_process() {
    let mut cloud = with_bucket();
    let put = ask("PUT", "/abc/a%2Fb%20c+d").body("one").header("content-type", "application/json");
    let made = put.header("x-amz-meta-m", "1").ok(&mut cloud);
    assert_eq!(header(&made, "etag"), "\"f97c5d29941bfb1b2fdab0874906ab82\"");
    assert_eq!(header(&made, "x-amz-server-side-encryption"), "AES256");
    assert_eq!(header(&made, "x-amz-version-id"), "", "the bucket keeps no versions");
    let mut cloud = cloud.reopened();
    let found = ask("GET", "/abc/a/b%20c+d").header("x-amz-checksum-mode", "ENABLED").ok(&mut cloud);
    assert_eq!(found.body(), "one");
    for (name, value) in
        [("content-type", "application/json"), ("x-amz-meta-m", "1"), ("x-amz-checksum-type", "FULL_OBJECT")]
    {
        assert_eq!(header(&found, name), value);
    }
    let head = ask("HEAD", "/abc/a/b%20c+d").ok(&mut cloud);
    assert_eq!((header(&head, "content-length").as_str(), head.body().len()), ("3", 0));
    let part = ask("GET", "/abc/a/b%20c+d").header("range", "bytes=1-").ok(&mut cloud);
    assert_eq!((part.status().as_u16(), header(&part, "content-range").as_str()), (206, "bytes 1-2/3"));
    assert_eq!(part.body(), "ne");
}

#[test]
fn only_a_conditional_write_meets_another_one() {
    let mut cloud = with_bucket();
    cloud.faults(crate::FaultPlan { conflict: 1.0, ..Default::default() });
    let create = ask("PUT", "/abc/lock").header("if-none-match", "*").body("a");
    assert_eq!(create.refused(&mut cloud), error(409, "ConditionalRequestConflict"));
    ask("PUT", "/abc/lock").body("b").ok(&mut cloud);
    assert_eq!(ask("GET", "/abc/lock").header("if-none-match", "\"x\"").read(&mut cloud), "b");
}

#[test]
fn a_conditional_write_needs_what_it_names() {
    let mut cloud = with_bucket();
    keep_versions(&mut cloud, "Enabled");
    let create = || ask("PUT", "/abc/lock").header("if-none-match", "*");
    let first = header(&create().body("a").ok(&mut cloud), "etag");
    let failed = || error(412, "PreconditionFailed");
    assert_eq!(create().body("b").refused(&mut cloud), failed());
    assert_eq!(ask("GET", "/abc/lock").read(&mut cloud), "a");
    let update = |etag: &str| ask("PUT", "/abc/lock").header("if-match", etag);
    let second = header(&update(&first).body("c").ok(&mut cloud), "etag");
    assert_eq!(update(&first).body("d").refused(&mut cloud), failed());
    assert_eq!(ask("DELETE", "/abc/lock").header("if-match", &first).refused(&mut cloud), failed());
    ask("DELETE", "/abc/lock").header("if-match", &second).ok(&mut cloud);
    assert_eq!(update(&second).body("e").refused(&mut cloud), error(404, "NoSuchKey"));
    create().body("f").ok(&mut cloud);
    assert_eq!(update(&first).header("if-none-match", "*").refused(&mut cloud), error(501, "NotImplemented"));
    assert_eq!(
        ask("PUT", "/abc/lock").header("if-none-match", "\"x\"").refused(&mut cloud),
        error(501, "NotImplemented")
    );
}

#[test]
fn reads_heed_their_conditions() {
    let mut cloud = with_bucket();
    let etag = header(&ask("PUT", "/abc/k").body("x").ok(&mut cloud), "etag");
    let get = |name: &'static str, value: &str| ask("GET", "/abc/k").header(name, value);
    assert_eq!(get("if-none-match", &etag).send(&mut cloud).status().as_u16(), 304);
    assert_eq!(get("if-none-match", "\"other\"").send(&mut cloud).status().as_u16(), 200);
    assert_eq!(get("if-match", "\"other\"").send(&mut cloud).status().as_u16(), 412);
    assert_eq!(
        get("if-unmodified-since", "Mon, 01 Jan 2001 00:00:00 GMT").send(&mut cloud).status().as_u16(),
        412
    );
    assert_eq!(
        get("if-modified-since", "Mon, 01 Jan 2001 00:00:00 GMT").send(&mut cloud).status().as_u16(),
        200
    );
    let modified = header(&ask("HEAD", "/abc/k").ok(&mut cloud), "last-modified");
    assert_eq!(get("if-modified-since", &modified).send(&mut cloud).status().as_u16(), 304);
}

#[test]
fn versions_are_kept_marked_and_removed_one_by_one() {
    let mut cloud = with_bucket();
    ask("PUT", "/abc/k").body("before").ok(&mut cloud);
    keep_versions(&mut cloud, "Enabled");
    let first = header(&ask("PUT", "/abc/k").body("one").ok(&mut cloud), "x-amz-version-id");
    let marker = ask("DELETE", "/abc/k").ok(&mut cloud);
    assert_eq!(header(&marker, "x-amz-delete-marker"), "true");
    let marker = header(&marker, "x-amz-version-id");
    assert_eq!(ask("GET", "/abc/k").refused(&mut cloud), error(404, "NoSuchKey"));
    let of = |method: &str, version: &str| ask(method, &format!("/abc/k?versionId={version}"));
    assert_eq!(of("GET", "null").read(&mut cloud), "before");
    assert_eq!(of("GET", &first).read(&mut cloud), "one");
    assert_eq!(of("GET", &marker).refused(&mut cloud), error(405, "MethodNotAllowed"));
    assert_eq!(of("GET", &"x".repeat(32)).refused(&mut cloud), error(404, "NoSuchVersion"));
    assert_eq!(of("GET", "nonsense").refused(&mut cloud), error(400, "InvalidArgument"));
    assert_eq!(header(&of("DELETE", &marker).ok(&mut cloud), "x-amz-delete-marker"), "true");
    assert_eq!(ask("GET", "/abc/k").read(&mut cloud), "one");
    keep_versions(&mut cloud, "Suspended");
    assert_eq!(header(&ask("PUT", "/abc/k").body("after").ok(&mut cloud), "x-amz-version-id"), "null");
    assert_eq!(of("GET", "null").read(&mut cloud), "after");
    assert_eq!(ask("DELETE", "/abc").refused(&mut cloud), error(409, "BucketNotEmpty"));
    assert_eq!(header(&ask("DELETE", "/abc/k").ok(&mut cloud), "x-amz-version-id"), "null");
    let versions = ask("GET", "/abc?versions").read(&mut cloud);
    assert_eq!(texts(&versions, "VersionId"), ["null", first.as_str()], "{versions}");
    of("DELETE", &first).ok(&mut cloud);
    of("DELETE", "null").ok(&mut cloud);
    ask("DELETE", "/abc").ok(&mut cloud);
    assert_eq!(ask("HEAD", "/abc").refused(&mut cloud).0, 404);
}

#[test]
fn a_body_that_differs_from_its_digest_is_refused() {
    let mut cloud = with_bucket();
    let put = || ask("PUT", "/abc/k").body("one");
    put().digested().ok(&mut cloud);
    let bad = error(400, "BadDigest");
    assert_eq!(put().digested().body("two").refused(&mut cloud), bad);
    assert_eq!(put().header("content-md5", "no").refused(&mut cloud), error(400, "InvalidDigest"));
    let crc32 =
        header(&put().header("x-amz-checksum-crc32", "emyG8Q==").ok(&mut cloud), "x-amz-checksum-crc32");
    assert_eq!(crc32, "emyG8Q==");
    assert_eq!(put().header("x-amz-checksum-crc32", "AAAAAA==").refused(&mut cloud), bad);
    let hash = "0".repeat(64);
    assert_eq!(
        put().header("x-amz-content-sha256", &hash).refused(&mut cloud),
        error(400, "XAmzContentSHA256Mismatch")
    );
    let trailer = put().header("x-amz-trailer", "x-amz-checksum-crc32");
    assert_eq!(trailer.refused(&mut cloud), error(400, "MalformedTrailerError"));
}

fn walk(cloud: &mut TestCloud, query: &str, elements: &[&str], markers: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = ask("GET", &format!("/abc?{query}{next}")).read(cloud);
        for element in elements {
            found.extend(texts(&page, element).into_iter().filter(|text| !text.is_empty()));
        }
        if text(&page, "IsTruncated") != "true" {
            return found;
        }
        next = markers
            .iter()
            .map(|(name, element)| (name, text(&page, element)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("&{name}={value}"))
            .collect();
        assert!(!next.is_empty(), "{page}");
    }
}

#[test]
fn pages_of_keys_cover_each_key_and_each_common_prefix_once() {
    let mut cloud = with_bucket();
    keep_versions(&mut cloud, "Enabled");
    for key in ["a", "b/1", "b/2", "b!", "c/d/e", "z", "gone"] {
        ask("PUT", &format!("/abc/{key}")).body("old").ok(&mut cloud);
        ask("PUT", &format!("/abc/{key}")).body("new").ok(&mut cloud);
    }
    ask("DELETE", "/abc/gone").ok(&mut cloud);
    for size in 1..=6 {
        let query = format!("list-type=2&max-keys={size}");
        let markers = [("continuation-token", "NextContinuationToken")];
        assert_eq!(walk(&mut cloud, &query, &["Key"], &markers), ["a", "b!", "b/1", "b/2", "c/d/e", "z"]);
        let mut delimited = walk(&mut cloud, &format!("{query}&delimiter=/"), &["Key", "Prefix"], &markers);
        delimited.sort();
        assert_eq!(delimited, ["a", "b!", "b/", "c/", "z"], "pages of {size}");
    }
    let within = ask("GET", "/abc?list-type=2&prefix=b/&start-after=b/1").read(&mut cloud);
    assert_eq!((texts(&within, "Key"), text(&within, "KeyCount")), (vec!["b/2".to_owned()], "1".to_owned()));
    let encoded = ask("GET", "/abc?list-type=2&prefix=b!&encoding-type=url").read(&mut cloud);
    assert_eq!(text(&encoded, "Key"), "b%21");
}

#[test]
fn pages_of_versions_cover_each_version_once() {
    let mut cloud = with_bucket();
    keep_versions(&mut cloud, "Enabled");
    for key in ["a", "b/1", "b/2"] {
        for body in ["1", "2", "3"] {
            ask("PUT", &format!("/abc/{key}")).body(body).ok(&mut cloud);
        }
        ask("DELETE", &format!("/abc/{key}")).ok(&mut cloud);
    }
    let markers = [("key-marker", "NextKeyMarker"), ("version-id-marker", "NextVersionIdMarker")];
    for size in 1..=13 {
        let mut ids = walk(&mut cloud, &format!("versions&max-keys={size}"), &["VersionId"], &markers);
        assert_eq!(ids.len(), 12, "pages of {size}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 12, "pages of {size}");
        let delimited = walk(
            &mut cloud,
            &format!("versions&delimiter=/&max-keys={size}"),
            &["VersionId", "Prefix"],
            &markers,
        );
        assert_eq!(delimited.len(), 5, "pages of {size}: {delimited:?}");
    }
}

#[test]
fn many_keys_are_deleted_at_once_and_each_has_its_outcome() {
    let mut cloud = with_bucket();
    keep_versions(&mut cloud, "Enabled");
    let version = header(&ask("PUT", "/abc/a").body("x").ok(&mut cloud), "x-amz-version-id");
    ask("PUT", "/abc/b").body("x").ok(&mut cloud);
    let body = format!(
        "<Delete><Object><Key>a</Key><VersionId>{version}</VersionId></Object><Object><Key>b</Key></Object><Object><Key>b</Key><VersionId>bad</VersionId></Object></Delete>"
    );
    let request = || ask("POST", "/abc?delete").body(body.clone());
    assert_eq!(request().refused(&mut cloud), error(400, "InvalidRequest"), "a digest is asked for");
    let answer = request().digested().read(&mut cloud);
    assert_eq!(texts(&answer, "DeleteMarker"), ["true"]);
    assert_eq!(texts(&answer, "Code"), ["InvalidArgument"]);
    assert_eq!(ask("GET", "/abc?versions&prefix=a").read(&mut cloud).matches("<Version>").count(), 0);
}

#[test]
fn a_copy_has_the_body_and_its_own_or_the_sources_headers() {
    let mut cloud = with_bucket();
    ask("PUT", "/abc/a").body("x").header("x-amz-meta-m", "1").ok(&mut cloud);
    let copy = |key: &str| ask("PUT", &format!("/abc/{key}")).header("x-amz-copy-source", "/abc/a");
    copy("b").ok(&mut cloud);
    let found = ask("GET", "/abc/b").ok(&mut cloud);
    assert_eq!((found.body().as_ref(), header(&found, "x-amz-meta-m").as_str()), (&b"x"[..], "1"));
    copy("c").header("x-amz-metadata-directive", "REPLACE").ok(&mut cloud);
    assert_eq!(header(&ask("HEAD", "/abc/c").ok(&mut cloud), "x-amz-meta-m"), "");
    assert_eq!(copy("a").refused(&mut cloud), error(400, "InvalidRequest"), "nothing would change");
    let missing = ask("PUT", "/abc/d").header("x-amz-copy-source", "abc/none");
    assert_eq!(missing.refused(&mut cloud), error(404, "NoSuchKey"));
}

#[test]
fn bodies_that_nothing_stands_for_go_when_the_account_is_opened() {
    let mut cloud = with_bucket();
    ask("PUT", "/abc/a").body("x").ok(&mut cloud);
    ask("PUT", "/abc/b").body("y").ok(&mut cloud);
    ask("PUT", "/abc/c").body("y").ok(&mut cloud);
    ask("DELETE", "/abc/a").ok(&mut cloud);
    ask("DELETE", "/abc/b").ok(&mut cloud);
    let mut cloud = cloud.reopened();
    assert_eq!(cloud.blobs(), 1);
    assert_eq!(ask("GET", "/abc/c").read(&mut cloud), "y");
}
