//! Policy rules (`struct fib_rule_hdr`, `linux/fib_rules.h`): which tables a lookup consults.

use super::attributes::Attributes;
use super::constants::{
    FIB_RULE_HDR, FR_ACT_TO_TBL, FRA_FWMARK, FRA_FWMASK, FRA_IIFNAME, FRA_L3MDEV, FRA_OIFNAME,
    FRA_PAD, FRA_PRIORITY, FRA_PROTOCOL, FRA_SRC, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE,
};
use super::error::{DecodeErrorKind, SkipReason};
use super::types::{Payload, RuleMatch, RuleMessage};
use crate::route::Family;

/// `net/core/fib_rules.c`: `fib_rule_match`, for a lookup from this machine.
const LOOPBACK: &[u8] = b"lo\0";

pub(super) fn decode(payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let (header, rest) = payload
        .split_first_chunk::<FIB_RULE_HDR>()
        .ok_or(DecodeErrorKind::Short("struct fib_rule_hdr"))?;
    let [family, to, _, tos, table, _, _, action, flags @ ..] = *header;
    if !Family::ALL.iter().any(|known| known.af() == family) {
        return Ok(Payload::Skipped(SkipReason::Family));
    }
    let mut table = u32::from(table);
    let mut sometimes = to != 0 || tos != 0;
    let mut never = false;
    let (mut mark, mut mask) = (0, u32::MAX);
    for attribute in Attributes::new(rest) {
        let (kind, value) = attribute?;
        let number = value
            .first_chunk::<4>()
            .map(|four| u32::from_ne_bytes(*four));
        match (kind, number) {
            (FRA_TABLE, Some(number)) => table = number,
            (FRA_FWMARK, Some(number)) => mark = number,
            (FRA_FWMASK, Some(number)) => mask = number,
            (FRA_SRC, _) => never |= value.iter().any(|byte| *byte != 0),
            (FRA_IIFNAME, _) => never |= value != LOOPBACK,
            (FRA_OIFNAME | FRA_L3MDEV, _) => never = true,
            // The kernel shows it of every rule.
            (FRA_SUPPRESS_PREFIXLEN, Some(u32::MAX))
            | (FRA_PRIORITY | FRA_PROTOCOL | FRA_PAD, _) => {}
            _ => sometimes = true,
        }
    }
    never |= mark & mask != 0;
    // Such as FIB_RULE_INVERT.
    let flagged = u32::from_ne_bytes(flags) != 0;
    let matches = match (flagged, never, sometimes) {
        (true, ..) | (false, false, true) => RuleMatch::Sometimes,
        (false, true, _) => RuleMatch::Never,
        (false, false, false) => RuleMatch::Always,
    };
    Ok(Payload::Rule(RuleMessage {
        table: (action == FR_ACT_TO_TBL).then_some(table),
        matches,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn holds(flags: u32, attributes: &[(u16, &[u8])]) -> RuleMatch {
        let mut bytes = vec![2, 0, 0, 0, 254, 0, 0, FR_ACT_TO_TBL];
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(attribute(FRA_SUPPRESS_PREFIXLEN, &[0xff; 4]));
        bytes.extend(
            attributes
                .iter()
                .flat_map(|(kind, value)| attribute(*kind, value)),
        );
        match decode(&bytes).unwrap() {
            Payload::Rule(rule) => {
                assert_eq!(rule.table, Some(254));
                rule.matches
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_lookup_does_not_name_no_rule_for_it_matches() {
        let mark = 7_u32.to_ne_bytes();
        assert_eq!(holds(0, &[]), RuleMatch::Always);
        assert_eq!(holds(0, &[(FRA_PRIORITY, &mark)]), RuleMatch::Always);
        assert_eq!(holds(0, &[(FRA_FWMARK, &mark)]), RuleMatch::Never);
        let masked = [(FRA_FWMARK, &mark[..]), (FRA_FWMASK, &[0; 4])];
        assert_eq!(holds(0, &masked), RuleMatch::Always);
        assert_eq!(holds(0, &[(FRA_IIFNAME, b"eth0\0")]), RuleMatch::Never);
        assert_eq!(holds(0, &[(FRA_IIFNAME, b"lo\0")]), RuleMatch::Always);
        assert_eq!(holds(0, &[(FRA_OIFNAME, b"eth0\0")]), RuleMatch::Never);
        assert_eq!(holds(0, &[(FRA_SRC, &[10, 0, 0, 0])]), RuleMatch::Never);
        const INVERT: u32 = 2;
        assert_eq!(holds(INVERT, &[(FRA_FWMARK, &mark)]), RuleMatch::Sometimes);
        assert_eq!(
            holds(0, &[(FRA_SUPPRESS_PREFIXLEN, &[0; 4])]),
            RuleMatch::Sometimes
        );
        const UID_RANGE: u16 = 20;
        assert_eq!(holds(0, &[(UID_RANGE, &[0; 8])]), RuleMatch::Sometimes);
    }

    #[test]
    fn a_rule_may_lead_elsewhere() {
        const UNREACHABLE: u8 = 7;
        let leads = Payload::Rule(RuleMessage {
            table: None,
            matches: RuleMatch::Sometimes,
        });
        let to_some = [10, 128, 0, 0, 0, 0, 0, UNREACHABLE, 0, 0, 0, 0];
        assert_eq!(decode(&to_some).unwrap(), leads);
        assert!(decode(&to_some[..11]).is_err());
        const BRIDGE: u8 = 7;
        assert_eq!(
            decode(&[BRIDGE; 12]).unwrap(),
            Payload::Skipped(SkipReason::Family)
        );
    }
}
