//! `Scan`. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>

use super::page::{FILTER, PROJECTION, PageRequest};
use crate::cloud::call::{Call, Reply};
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::expression::placeholders::Placeholders;

pub(in crate::services::dynamodb) fn scan(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let placeholders = Placeholders::of(
        &members,
        &[(FILTER, members.text(FILTER)?), (PROJECTION, members.text(PROJECTION)?)],
    )?;
    let request = PageRequest::of(&members, &placeholders)?;
    placeholders.finish()?;
    call.document.finish()?;
    let rows = request.rows(call)?;
    Ok(WIRE.answer(&request.answer(call, rows, |(row, _), (after, _)| row > after)?))
}
