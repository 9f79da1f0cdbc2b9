"""The registry row by row, and every maker against independent validators."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
import schwifty
from schwifty import registry as banks
from stdnum import iban as stdnum_iban
from stdnum import imei, imsi, lei, luhn
from stdnum.gb import nhs
from stdnum.us import ein, ssn

from rarecase.common import identifiers
from rarecase.common.errors import InputError, PlanError

# one row per range: values inside, values outside every range of the field
ROWS: dict[str, tuple[list[str], list[str]]] = {
    "host-example": (
        ["example.com", "a.b.example.org", "mail.invalid", "x.test"],
        ["example.de", "test.com"],
    ),
    "email-example": (
        ["a.b@example.net", "x@shop.example"],
        ["a@gmail.com", "a@myexample.com", "@example.com"],
    ),
    "ipv4-documentation": (
        ["192.0.2.0", "198.51.100.255", "203.0.113.7"],
        ["192.0.3.1", "10.0.0.1", "192.0.2.256"],
    ),
    "ipv6-documentation": (
        ["2001:db8::1", "2001:0db8:0:1::", "3fff:fff::1"],
        ["2001:db9::1", "3fff:1fff::1"],
    ),
    "mac-documentation": (["00-00-5E-00-53-00", "00:00:5e:00:53:ff"], ["00-00-5E-00-54-00"]),
    "asn-documentation": (["64496", "64511", "65536", "65551"], ["64495", "64512", "65535", "65552"]),
    "phone-us-555-01": (["+1 212-555-0100", "(415) 555-0199"], ["212-555-0200", "212-555-1234"]),
    "phone-gb-drama": (
        [
            "07700 900123",
            "+44 20 7946 0999",
            "0121 496 0000",
            "0191 498 0123",
            "028 9649 6123",
            "029 2018 0999",
        ],
        ["07700 901000", "0121 497 0000", "0191 499 0000", "028 9649 7000"],
    ),
    "phone-de-drama": (
        ["030 23125 000", "+49 221 4710 999", "0171 39200 99", "0176 040690 00"],
        ["030 23126 000", "0171 39201 00", "0176 040691 00"],
    ),
    "phone-fr-drama": (["01 99 00 12 34", "+33 6 39 98 00 00"], ["01 99 01 12 34", "06 12 34 56 78"]),
    "phone-au-drama": (["(02) 5550 1234", "0491 570 006"], ["(02) 5551 1234", "0491 570 007"]),
    "ssn-never-issued": (
        ["000-12-3456", "666123456", "123-00-4567", "123-45-0000"],
        ["123-45-6789", "665-01-0001"],
    ),
    "ssn-nine-hundred": (["900-01-0001", "999-49-1234"], ["912-70-1234", "912-93-1234", "912-50-1234"]),
    "ssn-advertising": (["987-65-4320", "987-65-4329"], ["987-65-4330"]),
    "nino-unallocated": (["ZZ 12 34 56 A", "GB123456"], ["AB123456C"]),
    "nino-impossible": (["QQ123456A", "AD123456B"], ["AE123456B"]),
    "nhs-999": (["999 000 0018"], ["943 476 5919"]),
    "nhs-wrong": (["999 000 0011"], ["943 476 5910"]),
    "mbi-letters": (["1EG4-TE5-MK73", "1SG4-TE5-MK73"], ["1EG4-TE5-MK72", "1AG4TE5MK73"]),
    "npi-first-digit": (["9282452181"], ["1234567893", "2000000000"]),
    "ein-unassigned": (["07-1234567", "97-0000000"], ["12-3456789"]),
    "pan-test-iin": (["0000 0000 0000 0000", "0000069441998478"], ["4111111111111111"]),
    "pan-wrong": (["0000000000000001"], ["4111111111111112"]),
    "iban-impossible": (["DE99100100100000000031", "GB00NWBK60161331926819"], ["DE89370400440532013000"]),
    "iban-unassigned-bank": (
        ["DE60900000001234567890", "GB72ZZZZ00000012345678"],
        ["GB29NWBK60161331926819"],
    ),
    "iban-user-country": (["XX05123456789012345", "QM90123456789012"], ["XK051212012345678906"]),
    "bic-test": (["DEUTDEF0", "DEUTDEF0XXX"], ["DEUTDEFF", "DEUTDEFF500"]),
    "lei-no-issuer": (["00000005955123129636"], ["5493001KJTIIGC8Y1R12"]),
    "lei-impossible": (["5493001KJTIIGC8Y1R99"], ["5493001KJTIIGC8Y1R17"]),
    "currency-test": (["XTS", "XXX"], ["EUR", "XAU"]),
    "country-user": (["AA", "QM", "QZ", "XA", "ZZ"], ["DE", "QA", "ZA"]),
    "mobile-test-network": (["001-01"], ["262-01"]),
    "imsi-test-network": (["001010123456789"], ["262011234567890"]),
    "imei-test": (["009809680526931"], ["490154203237518"]),
    "imei-wrong": (["009809680526930"], ["490154203237510"]),
    "vin-no-year": (["1RCE996F70N905596"], ["1M8GDM9AXKP042788"]),
    "vin-wrong": (["1RCE996F80N905596"], ["WBA3A5C50CF256651", "1M8GDM9A1KP042788"]),
    "gps-open-sea": (["0.5,-2.25", "-3,3"], ["51.5,-0.12", "0.5,6.6"]),
    "doi-test": (["10.5555/12345678"], ["10.1000/182"]),
    "fhir-test": (["HTEST", "http://terminology.hl7.org/CodeSystem/v3-ActReason|HTEST"], ["TREAT"]),
    "hl7-not-production": (["T", "D"], ["P"]),
    "uuid-custom": (["00000400-0000-8000-8447-e1fd26251ff1"], ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]),
}
FIELD = {entry.name: entry.field for entry in identifiers.RANGES}


def test_every_range_of_the_registry_has_a_row_here() -> None:
    assert set(ROWS) == set(FIELD)
    assert all(entry.source and entry.rule for entry in identifiers.RANGES)


@pytest.mark.parametrize("name", ROWS)
def test_range(name: str) -> None:
    inside, outside = ROWS[name]
    entry = next(entry for entry in identifiers.RANGES if entry.name == name)
    assert [value for value in inside if not entry.holds(value)] == []
    assert [value for value in outside if identifiers.is_reserved(FIELD[name], value)] == []


@pytest.mark.parametrize(("field", "mode"), identifiers.MAKERS)
def test_maker_stays_in_its_range_without_collisions(field: str, mode: identifiers.Mode) -> None:
    maker = identifiers.MAKERS[field, mode]
    n = min(20_000, maker.capacity)
    edges = np.unique(np.concatenate([np.arange(n // 2), maker.capacity - 1 - np.arange(n // 2)]))
    values = identifiers.make(field, edges, seed=5, mode=mode)
    values.validate(full=True)
    assert len(values.unique()) == len(edges)
    names = maker.range_name.split(" and ")
    ranges = [entry for entry in identifiers.RANGES if entry.name in names]
    assert len(ranges) == len(names)
    some = values.to_pylist()[:300] + values.to_pylist()[-300:]
    assert [value for value in some if not any(entry.holds(value) for entry in ranges)] == []
    with pytest.raises(PlanError, match=f"identifiers.{field}"):
        identifiers.make(field, np.array([maker.capacity]), seed=5, mode=mode)
    with pytest.raises(PlanError):
        identifiers.make(field, np.array([-1]), seed=5, mode=mode)


def test_makers_are_stateless_and_keyed() -> None:
    ids = np.array([7, 3, 900])
    column = identifiers.make("pan", ids, seed=1)
    assert identifiers.make("pan", ids[::-1], seed=1).to_pylist() == column.to_pylist()[::-1]
    assert identifiers.make("pan", ids, seed=2).to_pylist() != column.to_pylist()
    assert len(identifiers.make("pan", np.array([], np.int64), seed=1)) == 0


def test_small_ranges_repeat_on_request() -> None:
    values = identifiers.make("ipv4", np.arange(10_000), seed=1, repeat=True)
    assert len(values.unique()) == identifiers.capacity("ipv4")
    assert identifiers.make("ipv4", np.array([9_999]), seed=1, repeat=True)[0] == values[9_999]


def test_unknown_field_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'nhs_number'"):
        identifiers.make("nhs_numbr", np.arange(1), seed=1)
    with pytest.raises(KeyError, match="expected one of"):
        identifiers.is_reserved("colour", "red")


def sample(field: str, mode: identifiers.Mode = "checkable") -> list[str]:
    step = max(1, identifiers.capacity(field, mode) // 500)
    return [str(v) for v in identifiers.make(field, np.arange(500) * step, seed=9, mode=mode)]


def test_check_digits_agree_with_python_stdnum() -> None:
    for field, valid in (
        ("pan", luhn.is_valid),
        ("imei", imei.is_valid),
        ("lei", lei.is_valid),
        ("nhs_number", nhs.is_valid),
    ):
        assert [value for value in sample(field) if not valid(value)] == [], field
    for field, valid in (("pan", luhn.is_valid), ("imei", imei.is_valid), ("nhs_number", nhs.is_valid)):
        assert [value for value in sample(field, "impossible") if valid(value)] == [], field
    assert [value for value in sample("imsi") if not imsi.is_valid(value)] == []
    assert all(luhn.is_valid("80840" + value) for value in sample("npi"))


def test_impossible_lei_passes_the_naive_remainder_and_has_forbidden_digits() -> None:
    values = sample("lei", "impossible")
    assert all(int(value) % 97 == 1 for value in values)
    assert {value[-2:] for value in values} == {"00", "01", "99"}


def test_numbers_never_issued_are_refused_by_strict_checks() -> None:
    for mode in ("checkable", "impossible"):
        assert not any(ssn.is_valid(value) for value in sample("ssn", mode))
        assert not any(ein.is_valid(value) for value in sample("ein", mode))


def test_vin_check_digit_by_hand() -> None:
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
    values = dict(
        zip("ABCDEFGHJKLMNPRSTUVWXYZ", [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9])
    )
    values |= {str(digit): digit for digit in range(10)}

    def valid(vin: str) -> bool:
        return "0123456789X"[sum(values[c] * w for c, w in zip(vin, weights)) % 11] == vin[8]

    assert valid("1M8GDM9AXKP042788")
    assert all(valid(vin) for vin in sample("vin"))
    assert not any(valid(vin) for vin in sample("vin", "impossible"))


COUNTRIES = ["DE", "AT", "CH", "FR", "GB"]


@pytest.mark.parametrize("country", COUNTRIES)
def test_checkable_iban_passes_all_checks_and_names_no_bank(country: str) -> None:
    values = identifiers.iban(np.arange(300) * 1000, np.arange(300), seed=3, country=country).to_pylist()
    assert len(set(values)) == 300
    for value in values:
        parsed = schwifty.IBAN(value, validate_bban=True)
        assert parsed.bank is None
        assert stdnum_iban.is_valid(value)
        assert identifiers.is_reserved("iban", value)
    known = {str(bank.bank_code) for bank in banks.get_banks_by_country(country)}
    start = schwifty.IBAN(values[0]).bank_code[
        : 4 if country == "GB" else 2 if country in {"AT", "FR"} else 1
    ]
    assert not any(code.startswith(start) for code in known)


@pytest.mark.parametrize("country", COUNTRIES)
def test_impossible_iban_is_refused_by_schwifty_but_parses(country: str) -> None:
    values = identifiers.iban(np.arange(300) * 77, 0, seed=3, country=country, mode="impossible").to_pylist()
    assert len(set(values)) == 300
    assert {value[2:4] for value in values} == {"00", "01", "99"}
    for value in values:
        rearranged = "".join(str(int(letter, 36)) for letter in value[4:] + value[:4])
        assert int(rearranged) % 97 == 1
        with pytest.raises(schwifty.exceptions.InvalidChecksumDigits):
            schwifty.IBAN(value)


def test_iban_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="country=SE"):
        identifiers.iban(np.arange(1), seed=1, country="SE")
    with pytest.raises(PlanError, match=r"identifiers\.bank"):
        identifiers.iban(np.arange(1), 10**7, seed=1)
    with pytest.raises(PlanError, match=r"identifiers\.iban"):
        identifiers.iban(np.array([10**10]), seed=1)


def test_bic_is_a_test_bic_of_its_country() -> None:
    for value in identifiers.bic(np.arange(200), seed=1, country="FR").to_pylist():
        assert schwifty.BIC(value).country_code == "FR"
        assert identifiers.is_reserved("bic", value)


@pytest.mark.parametrize("version", [4, 8])
def test_uuid_from_keys(version: int) -> None:
    keys = np.array([0, 1, 2**62 - 1, 123_456_789_012_345_678])
    values = identifiers.uuid_from_keys(keys, 4 if version == 4 else 8).to_pylist()
    for key, value in zip(keys.tolist(), values):
        parsed = uuid.UUID(value)
        assert (parsed.version, parsed.variant, str(parsed)) == (version, uuid.RFC_4122, value)
        number = parsed.int
        top, bottom = number >> 64, number & (1 << 64) - 1
        assert (top >> 16) << 14 | (top & 0xFFF) << 2 | bottom >> 60 & 3 == key
    with pytest.raises(InputError, match="keys"):
        identifiers.uuid_from_keys(np.array([-1]))


def test_gps_lies_in_the_open_sea() -> None:
    latitude, longitude = identifiers.gps(np.array([0.0, 300_000.0]), np.array([1000.0, -300_000.0]))
    assert latitude[0] == pytest.approx(0.008983, abs=1e-6)
    assert all(identifiers.is_reserved("gps", f"{a:.6f},{b:.6f}") for a, b in zip(latitude, longitude))
    with pytest.raises(PlanError, match="gps"):
        identifiers.gps(np.array([400_000.0]), np.array([0.0]))
