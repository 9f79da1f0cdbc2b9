"""The registry of identifiers reserved for tests or never issued.

``verified`` says whether the range was read in the named source or confirmed by an independent validator;
False means that it is taken from the standard as commonly cited and wants a second look before use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from rarecase.common.identifiers.checks import VIN_LETTERS, ascii_row, luhn_digits, nhs_check, vin_check

GPS_BOX_DEGREES = 3.0


def _luhn(value: str) -> bool:
    return int(luhn_digits(ascii_row(value), 0, len(value) - 1, 0)[0]) == int(value[-1])


def _nhs(value: str) -> bool:
    return int(nhs_check(np.array([int(value[:9])]))[0]) == int(value[9])


def _vin(value: str) -> bool:
    return "0123456789X"[int(vin_check(ascii_row(value))[0])] == value[8]


def _not_vin(value: str) -> bool:
    return not _vin(value)


def _gulf(value: str) -> bool:
    return all(abs(float(part)) <= GPS_BOX_DEGREES for part in value.split(","))


@dataclass(frozen=True)
class Range:
    """One reserved range.

    Attributes
    ----------
    field
        What kind of identifier, such as ``iban``.
    name
        Unique name of the range.
    rule
        The range in words.
    pattern
        Regular expression that the whole value matches once separators are taken out (see ``drop``).
    source
        Who reserves it.
    verified
        Whether it was confirmed; see the module's text.
    check
        A further condition on the cleaned value, such as a check digit.
    drop
        Characters that may stand between and do not count.
    """

    field: str
    name: str
    rule: str
    pattern: str
    source: str
    verified: bool
    check: Callable[[str], bool] | None = None
    drop: str = " "

    def holds(self, value: str) -> bool:
        """Whether a value lies in this range."""
        clean = value.translate({ord(letter): None for letter in self.drop})
        return re.fullmatch(self.pattern, clean) is not None and (self.check is None or self.check(clean))


_HOST = r"(?:[a-z0-9-]+\.)*(?:example\.(?:com|net|org)|[a-z0-9-]+\.(?:test|example|invalid))"
_V4 = r"(?:192\.0\.2|198\.51\.100|203\.0\.113)\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_GB_ONE = "7700900|2079460|1632960|1914980|2896496|2920180|3069990|8081570|9098790"
_GB_GEO = "113496|114496|115496|116496|117496|118496|121496|131496|141496|151496|161496"
_FR = "19900|26191|35301|46571|53649|63998"
_AU_MOBILE = (
    "570006|570156|570157|570158|570159|570110|570313|570737|571266|571491|571804|572549|572665|572983|573770|"
    "573087|574118|574632|575254|575789|576398|576801|577426|577644|578957|578148|578888|579212|579760|579455"
)
_ITIN_FREE = "9\\d\\d(?:0[1-9]|[1-4]\\d)"
_PHONE = " -()"
_SSA = "SSA, randomization rules"

RANGES: tuple[Range, ...] = (
    Range(
        "host",
        "host-example",
        "example.com/.net/.org, .test, .example, .invalid",
        _HOST,
        "RFC 2606, RFC 6761",
        False,
    ),
    Range(
        "email",
        "email-example",
        "an address at a reserved host",
        rf"[^@\s]+@{_HOST}",
        "RFC 2606, RFC 6761",
        False,
    ),
    Range(
        "ipv4", "ipv4-documentation", "192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24", _V4, "RFC 5737", False
    ),
    Range(
        "ipv6",
        "ipv6-documentation",
        "2001:db8::/32, 3fff::/20",
        r"2001:0?db8:[0-9a-f:]+|3fff:0?[0-9a-f]{0,3}:[0-9a-f:]+",
        "RFC 3849, RFC 9637",
        False,
    ),
    Range(
        "mac",
        "mac-documentation",
        "00-00-5E-00-53-00 to -FF",
        r"(?i)00005E0053[0-9A-F]{2}",
        "RFC 7042, RFC 9542",
        False,
        drop=" :-.",
    ),
    Range(
        "asn",
        "asn-documentation",
        "64496-64511, 65536-65551",
        r"6449[6-9]|6450\d|6451[01]|6553[6-9]|6554\d|6555[01]",
        "RFC 5398",
        False,
    ),
    Range(
        "phone_us",
        "phone-us-555-01",
        "NPA-555-0100 to -0199; other 555 numbers are live",
        r"(?:\+?1)?[2-9]\d\d55501\d\d",
        "NANPA, ATIS-0300115",
        True,
        drop=_PHONE,
    ),
    Range(
        "phone_gb",
        "phone-gb-drama",
        "07700 900, 020 7946 0, 01632 960, 0191 498 0, 028 9649 6, 029 2018 0, 03069 990, 08081 570, "
        "0909 8790 and eleven 496 0 blocks",
        rf"(?:\+44|0)(?:(?:{_GB_ONE})\d{{3}}|(?:{_GB_GEO})0\d{{3}})",
        "Ofcom, numbers for drama",
        True,
        drop=_PHONE,
    ),
    Range(
        "phone_de",
        "phone-de-drama",
        "030 23125, 069 90009, 040 66969, 0221 4710, 089 99998, each -000 to -999; 0171 39200 and "
        "0176 040690, each -00 to -99",
        r"(?:\+49|0)(?:(?:3023125|6990009|4066969|2214710|8999998)\d{3}|(?:17139200|176040690)\d\d)",
        "BNetzA, Mitteilung 148/2021",
        True,
        drop=_PHONE,
    ),
    Range(
        "phone_fr",
        "phone-fr-drama",
        "01 99 00, 02 61 91, 03 53 01, 04 65 71, 05 36 49, 06 39 98 xx xx",
        rf"(?:\+33|0)(?:{_FR})\d{{4}}",
        "ARCEP, décision 2018-0881, annex 1, 2.5.12",
        False,
        drop=_PHONE + ".",
    ),
    Range(
        "phone_au",
        "phone-au-drama",
        "(02 03 07 08) 5550 xxxx, 7010 xxxx; thirty mobiles of 0491 57x xxx",
        rf"(?:\+61|0)(?:[2378](?:5550|7010)\d{{4}}|491(?:{_AU_MOBILE}))",
        "ACMA, numbers for use in fiction",
        False,
        drop=_PHONE,
    ),
    Range(
        "ssn",
        "ssn-never-issued",
        "area 000 or 666, group 00, serial 0000",
        r"(?:000|666)\d{6}|\d{3}00\d{4}|\d{5}0000",
        _SSA,
        True,
        drop=" -",
    ),
    Range(
        "ssn",
        "ssn-nine-hundred",
        "area 900-999 with group 01-49, outside the groups of ITIN and ATIN",
        rf"{_ITIN_FREE}\d{{4}}",
        _SSA + "; IRS ITIN groups",
        True,
        drop=" -",
    ),
    Range("ssn", "ssn-advertising", "987-65-4320 to -4329", r"98765432\d", _SSA, True, drop=" -"),
    Range(
        "nino",
        "nino-unallocated",
        "prefixes BG GB KN NK NT TN ZZ",
        r"(?:BG|GB|KN|NK|NT|TN|ZZ)\d{6}[A-D]?",
        "HMRC NIM39110",
        True,
    ),
    Range(
        "nino",
        "nino-impossible",
        "a first or second letter D F I Q U V",
        r"(?:[DFIQUV][A-Z]|[A-Z][DFIQUV])\d{6}[A-D]?",
        "HMRC NIM39110",
        True,
    ),
    Range(
        "nhs_number",
        "nhs-999",
        "999 000 0000 to 999 999 9999 with a valid check digit",
        r"999\d{7}",
        "NHS England, test numbers",
        True,
        _nhs,
        drop=" -",
    ),
    Range(
        "nhs_number",
        "nhs-wrong",
        "999 with a check digit that fails",
        r"999\d{7}",
        "NHS data dictionary, modulus 11",
        True,
        lambda v: not _nhs(v),
        drop=" -",
    ),
    Range(
        "mbi",
        "mbi-letters",
        "a second character S L O I B Z, or the published sample 1EG4-TE5-MK73",
        r"\d[SLOIBZ][A-Z0-9]\d[A-Z][A-Z0-9]\d[A-Z]{2}\d\d|1EG4TE5MK73",
        "CMS, MBI format",
        False,
        drop=" -",
    ),
    Range(
        "npi",
        "npi-first-digit",
        "first digit other than 1 and 2",
        r"[03-9]\d{9}",
        "CMS, NPI check digit",
        False,
    ),
    Range(
        "ein",
        "ein-unassigned",
        "prefixes 00 07-09 17-19 28 29 49 69 70 78 79 89 96 97",
        r"(?:00|0[789]|1[789]|2[89]|49|69|70|7[89]|89|9[67])\d{7}",
        "IRS, EIN prefixes",
        False,
        drop=" -",
    ),
    Range(
        "pan",
        "pan-test-iin",
        "IIN 00000 with a valid Luhn digit",
        r"00000\d{11}",
        "ISO/IEC 7812-1:2015 clause 5",
        True,
        _luhn,
        drop=" -",
    ),
    Range(
        "pan",
        "pan-wrong",
        "IIN 00000 with a Luhn digit that fails",
        r"00000\d{11}",
        "ISO/IEC 7812-1:2015 annex B",
        True,
        lambda v: not _luhn(v),
        drop=" -",
    ),
    Range(
        "iban",
        "iban-impossible",
        "check digits 00, 01, 99",
        r"[A-Z]{2}(?:00|01|99)[A-Z0-9]{11,30}",
        "ISO 13616, ISO/IEC 7064",
        True,
    ),
    Range(
        "iban",
        "iban-unassigned-bank",
        "DE bank code 9, CH 9, AT 98, FR 99, GB bank ZZZZ: no such bank",
        r"DE\d{2}9\d{17}|CH\d{2}9\d{16}|AT\d{2}98\d{14}|FR\d{2}99\d{21}|GB\d{2}ZZZZ\d{14}",
        "national bank registries as shipped with schwifty",
        True,
    ),
    Range(
        "iban",
        "iban-user-country",
        "countries AA, QM-QZ, XA-XZ without XK (Kosovo, live), ZZ",
        r"(?:AA|Q[M-Z]|X[A-JL-Z]|ZZ)\d{2}[A-Z0-9]{11,30}",
        "ISO 3166-1 user-assigned",
        True,
    ),
    Range(
        "bic",
        "bic-test",
        "eighth character 0",
        r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]0(?:[A-Z0-9]{3})?",
        "ISO 9362, SWIFT test BIC",
        True,
    ),
    Range(
        "lei",
        "lei-no-issuer",
        "issuer prefix 0000",
        r"000000[A-Z0-9]{12}\d{2}",
        "ISO 17442-1, GLEIF issuer list",
        False,
    ),
    Range(
        "lei",
        "lei-impossible",
        "check digits 00, 01, 99",
        r"[A-Z0-9]{18}(?:00|01|99)",
        "ISO 17442-1, ISO/IEC 7064",
        False,
    ),
    Range("currency", "currency-test", "XTS test, XXX none", r"XTS|XXX", "ISO 4217", False),
    Range(
        "country",
        "country-user",
        "AA, QM-QZ, XA-XZ, ZZ",
        r"AA|Q[M-Z]|X[A-Z]|ZZ",
        "ISO 3166-1 user-assigned",
        False,
    ),
    Range("mcc_mnc", "mobile-test-network", "MCC 001, MNC 01", r"00101", "ITU-T E.212", False, drop=" -"),
    Range("imsi", "imsi-test-network", "00101 and ten digits", r"00101\d{10}", "ITU-T E.212", False),
    Range(
        "imei",
        "imei-test",
        "reporting body 00 with a valid Luhn digit",
        r"00\d{13}",
        "GSMA TS.06",
        False,
        _luhn,
        drop=" -",
    ),
    Range(
        "imei",
        "imei-wrong",
        "reporting body 00 with a Luhn digit that fails",
        r"00\d{13}",
        "GSMA TS.06",
        False,
        lambda v: not _luhn(v),
        drop=" -",
    ),
    Range(
        "vin",
        "vin-no-year",
        "North American maker (1-5), model year 0, correct check digit",
        rf"[1-5][{VIN_LETTERS}]{{7}}[\dX]0[{VIN_LETTERS}]{{7}}",
        "ISO 3779, 49 CFR 565",
        False,
        _vin,
    ),
    Range(
        "vin",
        "vin-wrong",
        "North American maker, model year 0, U or Z, wrong check digit",
        rf"[1-5][{VIN_LETTERS}]{{7}}[\dX][0UZ][{VIN_LETTERS}]{{7}}",
        "49 CFR 565.15",
        True,
        _not_vin,
    ),
    Range(
        "gps",
        "gps-open-sea",
        "within 3 degrees of 0 N 0 E: open sea, declared a fictitious land",
        r"-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?",
        "declared by this project",
        True,
        _gulf,
    ),
    Range("doi", "doi-test", "prefix 10.5555", r"10\.5555/\S+", "Crossref, test prefix", False),
    Range(
        "fhir_security",
        "fhir-test",
        "code HTEST of v3-ActReason",
        r"(?:http://terminology\.hl7\.org/CodeSystem/v3-ActReason\|)?HTEST",
        "HL7 Terminology, v3-ActReason",
        True,
    ),
    Range("hl7_processing", "hl7-not-production", "MSH-11 T or D", r"[TD]", "HL7 v2, table 0103", False),
    Range(
        "uuid",
        "uuid-custom",
        "version 8",
        r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "RFC 9562",
        False,
    ),
)


@cache
def ranges_of(field: str) -> tuple[Range, ...]:
    """The ranges of a field.

    Raises
    ------
    KeyError
        If the registry has no such field.
    """
    found = tuple(entry for entry in RANGES if entry.field == field)
    if not found:
        raise KeyError(f"field={field}: expected one of {', '.join(sorted({r.field for r in RANGES}))}")
    return found


def is_reserved(field: str, value: str) -> bool:
    """Whether a value can never belong to anyone real; separators such as blanks may stand between.

    Raises
    ------
    KeyError
        If the registry has no such field.
    """
    return any(entry.holds(value) for entry in ranges_of(field))
