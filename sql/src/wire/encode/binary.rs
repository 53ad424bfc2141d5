//! The binary format: what PostgreSQL's send functions write, big-endian.

use bytes::{BufMut, BytesMut};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::calendar::{MICROS_PER_DAY, PG_EPOCH_DAYS};
use super::leaf::out_of_range;
use super::{Form, Interval, StringKind, Width};
use crate::wire::decode::parse_uuid;

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

    /// Number of base-10000 digits, weight of the first, sign, decimals shown, digits.
    fn numeric(&self, digits: &str, scale: i32, out: &mut BytesMut) {
        let unsigned = digits.trim_start_matches('-').trim_start_matches('0').as_bytes();
        let sign = if digits.starts_with('-') { 0x4000 } else { 0 };
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
            StringKind::Plain => out.put_slice(value.as_bytes()),
            StringKind::Jsonb => {
                // The version of the format.
                out.put_u8(1);
                out.put_slice(value.as_bytes());
            }
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
