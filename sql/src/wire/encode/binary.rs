//! The binary format: what PostgreSQL's send functions write, big-endian.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::calendar::{MICROS_PER_DAY, PG_EPOCH_DAYS};
use super::leaf::{SMALL_SCALE, out_of_range, put_string};
use super::{Form, Interval, StringKind, Width};
use crate::wire::decode::parse_uuid;

/// What `inet` calls the families of addresses.
const INET: u8 = 2;
const INET6: u8 = 3;
const NEGATIVE: u16 = 0x4000;
/// 64 bits have twenty digits, of which a small numeric has at most [`SMALL_SCALE`] behind the point.
const GROUPS_BEFORE: usize = 5;
const GROUPS_BEHIND: usize = SMALL_SCALE as usize / 4;

#[derive(Debug, Clone, Copy)]
pub(super) struct Binary;

impl Form for Binary {
    fn boolean(&self, value: bool, out: &mut BytesMut) {
        out.put_u8(value.into());
    }

    fn integer(&self, value: i64, width: Width, out: &mut BytesMut) -> Result<()> {
        match width {
            Width::Two => out.put_i16(value.try_into().map_err(|_| out_of_range("smallint"))?),
            Width::Four => out.put_i32(value.try_into().map_err(|_| out_of_range("integer"))?),
            Width::Eight => out.put_i64(value),
            Width::Oid => out.put_u32(value.try_into().map_err(|_| out_of_range("OID"))?),
        }
        Ok(())
    }

    fn float4(&self, value: f32, out: &mut BytesMut) {
        out.put_f32(value);
    }

    fn float8(&self, value: f64, out: &mut BytesMut) {
        out.put_f64(value);
    }

    fn small_numeric(&self, negative: bool, size: u64, scale: u32, out: &mut BytesMut) {
        // Groups of four digits on both sides of the point: five before it, four behind it.
        let mut groups = [0_u16; GROUPS_BEFORE + GROUPS_BEHIND];
        let one = 10_u64.pow(scale);
        let (mut whole, mut fraction) = (size / one, size % one * 10_u64.pow(3 - (scale + 3) % 4));
        let behind = scale.div_ceil(4) as usize;
        for group in groups[..GROUPS_BEFORE].iter_mut().rev() {
            *group = (whole % 10_000) as u16;
            whole /= 10_000;
        }
        for group in groups[GROUPS_BEFORE..GROUPS_BEFORE + behind].iter_mut().rev() {
            *group = (fraction % 10_000) as u16;
            fraction /= 10_000;
        }
        let first = groups.iter().position(|&group| group != 0);
        let last = groups.iter().rposition(|&group| group != 0);
        let shown = match (first, last) {
            (Some(first), Some(last)) => &groups[first..=last],
            _ => &[],
        };
        let weight = first.map_or(0, |first| GROUPS_BEFORE as i16 - 1 - first as i16);
        out.put_u16(shown.len() as u16);
        out.put_i16(weight);
        out.put_u16(if negative && size != 0 { NEGATIVE } else { 0 });
        out.put_u16(scale as u16);
        shown.iter().for_each(|&group| out.put_u16(group));
    }

    /// Number of base-10000 digits, weight of the first, sign, decimals shown, digits.
    fn numeric(&self, digits: &str, scale: i32, out: &mut BytesMut) {
        let unsigned = digits.trim_start_matches('-').trim_start_matches('0').as_bytes();
        let sign = if digits.starts_with('-') { NEGATIVE } else { 0 };
        // Zeros that make the point fall between two groups of four; a negative scale adds whole digits.
        let behind = scale.rem_euclid(4);
        let trailing = (4 - behind) % 4;
        let padded = unsigned.len() + trailing as usize;
        let leading = (4 - padded % 4) % 4;
        let digit = |at: usize| match at.checked_sub(leading).and_then(|at| unsigned.get(at)) {
            Some(byte) => u16::from(byte - b'0'),
            None => 0,
        };
        let groups = (leading + padded) / 4;
        let group = |index: usize| (0..4).fold(0, |value, at| value * 10 + digit(index * 4 + at));
        // `trailing` zeros were multiplied in, so the last group weighs 10000^-((scale + trailing) / 4).
        let last_weight = -(scale + trailing) / 4;
        let shown = (0..groups).rev().find(|&index| group(index) != 0).map_or(0, |index| index + 1);
        let weight = if shown == 0 { 0 } else { last_weight + groups as i32 - 1 };
        out.put_u16(shown as u16);
        out.put_i16(weight as i16);
        out.put_u16(if shown == 0 { 0 } else { sign });
        out.put_u16(scale.max(0) as u16);
        (0..shown).for_each(|index| out.put_u16(group(index)));
    }

    fn string(&self, value: &str, kind: StringKind, out: &mut BytesMut) -> Result<()> {
        match kind {
            StringKind::Char if value.is_empty() => out.put_u8(0),
            StringKind::Plain | StringKind::Padded(_) | StringKind::Char => put_string(value, kind, out),
            StringKind::Jsonb => {
                // The version of the format.
                out.put_u8(1);
                out.put_slice(value.as_bytes());
            }
            StringKind::Inet => put_address(value, out)?,
            StringKind::Uuid => out.put_slice(&parse_uuid(value).ok_or_else(|| {
                Error::new(ErrorKind::InvalidText, format!("invalid input syntax for type uuid: \"{value}\""))
            })?),
        }
        Ok(())
    }

    fn bytes(&self, value: &[u8], out: &mut BytesMut) {
        out.put_slice(value);
    }

    fn uuid(&self, value: &[u8], out: &mut BytesMut) {
        out.put_slice(value);
    }

    fn date(&self, days: i32, out: &mut BytesMut) -> Result<()> {
        out.put_i32(days.checked_sub(PG_EPOCH_DAYS).ok_or_else(|| out_of_range("date"))?);
        Ok(())
    }

    fn time(&self, micros: i64, out: &mut BytesMut) {
        out.put_i64(micros);
    }

    fn timestamp(&self, micros: i64, out: &mut BytesMut) -> Result<()> {
        let epoch = i64::from(PG_EPOCH_DAYS) * MICROS_PER_DAY;
        out.put_i64(micros.checked_sub(epoch).ok_or_else(|| out_of_range("timestamp"))?);
        Ok(())
    }

    fn timestamptz(&self, micros: i64, out: &mut BytesMut) -> Result<()> {
        self.timestamp(micros, out)
    }

    fn interval(&self, value: Interval, out: &mut BytesMut) {
        out.put_i64(value.micros);
        out.put_i32(value.days);
        out.put_i32(value.months);
    }
}

/// Family, bits of the network, whether it is a `cidr`, and the bytes behind their number.
fn put_address(value: &str, out: &mut BytesMut) -> Result<()> {
    let address: IpAddr = value.parse().map_err(|_| {
        Error::new(ErrorKind::InvalidText, format!("invalid input syntax for type inet: \"{value}\""))
    })?;
    match address {
        IpAddr::V4(address) => {
            out.put_slice(&[INET, 32, 0, 4]);
            out.put_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.put_slice(&[INET6, 128, 0, 16]);
            out.put_slice(&address.octets());
        }
    }
    Ok(())
}
