"""Makers: numbers in, identifiers out, statelessly, in whole columns and without collisions.

Each maker spreads the numbers over its range by a keyed permutation, so that neighbours do not look alike and
two different numbers never share a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pyarrow as pa

from rarecase.common.errors import InputError, PlanError, nearest
from rarecase.common.identifiers import checks, render
from rarecase.common.identifiers.checks import IntArray
from rarecase.common.seeds import Permutation, keyed_integers, name_key

Mode = Literal["checkable", "impossible"]
_Row = tuple[str, tuple[int, render.Render], str]  # range, capacity and writer, who accepts it
_NETS = ("192.0.2", "198.51.100", "203.0.113")
_NHS_NUMBERS = 909_091

# Geographic codes in service; 555-01xx is reserved under every one of them.
_NPA = """
    201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234
    239 272 279 326 332 341 346 364 380 385 430 442 445 447 448 458 463 464 470 475 531 534 539 551 557 564
    567 572 575 582 628 629 640 645 656 657 659 667 669 680 681 686 689 725 726 730 737 743 747 762 769 771
    779 820 826 835 838 839 840 854 872 878 930 934 938 943 945 947 948 959 975 983 984 986 989
    240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312
    313 314 315 316 317 318 319 320 321 323 325 330 334 336 337 347 351 352 360 361 386 401 402 404
    405 406 407 408 409 410 412 413 414 415 417 419 423 425 432 434 435 440 443 469 478 479 480 484
    501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 540 541 559 561 562 563 570
    571 573 574 580 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618 619 620 623
    626 630 631 636 641 646 650 651 660 661 662 678 682 701 702 703 704 706 707 708 712 713 714 715
    716 717 718 719 720 724 727 731 732 734 740 754 757 760 763 765 770 772 773 774 775 781 785 786
    801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 828 830 831 832 843 845 847 848 850
    856 857 858 859 860 863 864 865 870 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918
    919 920 925 928 931 936 937 940 941 949 951 952 954 956 970 971 972 973 978 979 980 985
"""


@dataclass(frozen=True)
class Maker:
    """How to write the numbers 0 … capacity − 1 of one field and mode.

    Attributes
    ----------
    range_name
        The registry's range that the values lie in.
    capacity
        How many different values there are.
    render
        From int64[n] to a byte matrix.
    accepted_by
        Honestly, which checks accept such a value.
    """

    range_name: str
    capacity: int
    render: render.Render
    accepted_by: str


def _gb_phones() -> list[str]:
    cities = (113, 114, 115, 116, 117, 118, 121, 131, 141, 151, 161)
    other = ("7700900", "2079460", "1632960", "1914980", "2896496", "2920180", "3069990", "8081570")
    return [*(f"+44{block}" for block in other), *(f"+44{city}4960" for city in cities)]


def _de_phones() -> list[str]:
    towns = ("3023125", "6990009", "4066969", "2214710", "8999998")
    mobile = ("17139200", "176040690")
    lines = [f"+49{town}{number:03d}" for town in towns for number in range(1_000)]
    return lines + [f"+49{block}{number:02d}" for block in mobile for number in range(100)]


def _au_phones() -> list[str]:
    return [f"+61{area}{block}" for area in (2, 3, 7, 8) for block in (5550, 7010)]


def _registry() -> dict[tuple[str, str], Maker]:
    fiction = "format checks; strict ones know the range and may refuse it"
    both: dict[str, _Row] = {
        "ipv4": (
            "ipv4-documentation",
            render.pool([f"{net}.{host}" for net in _NETS for host in range(1, 255)]),
            "parsers; checks for global addresses refuse",
        ),
        "ipv6": (
            "ipv6-documentation",
            (61_440**3, render.ipv6),
            "parsers; checks for global addresses refuse",
        ),
        "mac": (
            "mac-documentation",
            render.pool([f"00:00:5E:00:53:{i:02X}" for i in range(256)]),
            "all parsers",
        ),
        "phone_us": ("phone-us-555-01", render.blocks([f"+1{npa}55501" for npa in _NPA.split()], 2), fiction),
        "phone_gb": ("phone-gb-drama", render.blocks(_gb_phones(), 3), fiction),
        "phone_de": (
            "phone-de-drama",
            render.pool(_de_phones()),
            fiction,
        ),
        "phone_fr": (
            "phone-fr-drama",
            render.blocks([f"+33{block}" for block in (19900, 26191, 35301, 46571, 53649, 63998)], 4),
            fiction,
        ),
        "phone_au": ("phone-au-drama", render.blocks(_au_phones(), 4), fiction),
        "mbi": ("mbi-letters", (54 * 10**6 * 20**3, render.mbi), "length checks only"),
        "bic": ("bic-test", (26**4, render.bic), "schwifty, stdnum"),
        "imsi": ("imsi-test-network", render.blocks(["00101"], 10), "stdnum"),
        "ein": (
            "ein-unassigned",
            render.blocks(["07-", "08-", "09-", "17-", "18-", "19-"], 7),
            "format checks; stdnum refuses",
        ),
    }
    single: dict[tuple[str, str], _Row] = {
        ("email", "checkable"): (
            "email-example",
            render.email(["example.com", "example.org", "example.net"]),
            "all",
        ),
        ("email", "impossible"): (
            "email-example",
            render.email(["mail.invalid"]),
            "format checks; special-use lists refuse",
        ),
        ("ssn", "checkable"): (
            "ssn-never-issued and ssn-nine-hundred",
            ((99 + 4900) * 9999, render.ssn_checkable),
            "format checks only: no number that can never be issued passes a strict one",
        ),
        ("ssn", "impossible"): ("ssn-never-issued", (99 * 9999, render.ssn_impossible), "no strict check"),
        ("nino", "checkable"): (
            "nino-unallocated",
            render.nino(["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"]),
            "format checks; strict ones know the prefixes",
        ),
        ("nino", "impossible"): (
            "nino-impossible",
            render.nino(["QQ", "DF", "FI", "IU", "UV", "VD"]),
            "no strict check",
        ),
        ("nhs_number", "checkable"): (
            "nhs-999",
            (_NHS_NUMBERS, render.nhs),
            "stdnum, every check of modulus 11",
        ),
        ("nhs_number", "impossible"): ("nhs-wrong", (10**6, render.nhs_wrong), "no check of modulus 11"),
        ("npi", "checkable"): (
            "npi-first-digit",
            render.luhn("9", 8, 24, 0),
            "Luhn checks; strict ones refuse the first digit",
        ),
        ("npi", "impossible"): ("npi-first-digit", render.luhn("9", 8, 24, 1), "no check"),
        ("pan", "checkable"): (
            "pan-test-iin",
            render.luhn("00000", 10, 0, 0),
            "stdnum, every Luhn check; card brand lists refuse",
        ),
        ("pan", "impossible"): ("pan-wrong", render.luhn("00000", 10, 0, 1), "no Luhn check"),
        ("imei", "checkable"): ("imei-test", render.luhn("00", 12, 0, 0), "stdnum, every Luhn check"),
        ("imei", "impossible"): ("imei-wrong", render.luhn("00", 12, 0, 1), "no Luhn check"),
        ("lei", "checkable"): (
            "lei-no-issuer",
            (10**12, render.lei),
            "stdnum, every modulus check; not in the global index",
        ),
        ("lei", "impossible"): (
            "lei-impossible",
            (3 * 10**10, render.lei_impossible),
            "naive modulus checks; strict ones refuse",
        ),
        ("vin", "checkable"): (
            "vin-no-year",
            render.vin(0),
            "check digit and charset checks; decoders find no model year",
        ),
        ("vin", "impossible"): ("vin-wrong", render.vin(1), "no North American check"),
    }
    found: dict[tuple[str, str], Maker] = {}
    for name in both:
        row, (n, writer), note = both[name]
        for mode in _MODES:
            found[name, mode] = Maker(row, n, writer, note)
    for key, (row, (n, writer), note) in single.items():
        found[key] = Maker(row, n, writer, note)
    return found


_MODES: tuple[Mode, Mode] = ("checkable", "impossible")
MAKERS: dict[tuple[str, str], Maker] = _registry()


def maker_of(field: str, mode: Mode) -> Maker:
    if (field, mode) not in MAKERS:
        known = sorted({name for name, _ in MAKERS})
        raise InputError("field", field, f"one of {', '.join(known)}", nearest=nearest(field, known))
    return MAKERS[field, mode]


def capacity(field: str, mode: Mode = "checkable") -> int:
    """How many different values :func:`make` has for a field."""
    return maker_of(field, mode).capacity


@lru_cache(maxsize=256)
def permutation(seed: int, field: str, mode: str, n: int) -> Permutation:
    return Permutation(name_key(seed, "identifiers", field, mode), n)


def make(
    field: str, ids: IntArray, *, seed: int, mode: Mode = "checkable", repeat: bool = False
) -> pa.StringArray:
    """Write identifiers for numbers: the same number gives the same value anywhere.

    Parameters
    ----------
    field
        A field of :data:`MAKERS`, such as ``pan``; account numbers come from :func:`iban`.
    ids : int64[n]
        Numbers from 0, such as entity ordinals; different numbers give different values.
    seed
        The data set's seed.
    mode
        ``checkable`` or ``impossible``.
    repeat
        Draw from the range with repetition, statelessly by id, where it is smaller than the population
        (IPv4, MAC, telephones).

    Returns
    -------
    pyarrow.StringArray of length n

    Raises
    ------
    InputError
        If the field has no maker.
    PlanError
        If a number exceeds the capacity and ``repeat`` is off, or is negative.
    """
    maker = maker_of(field, mode)
    numbers = np.ascontiguousarray(ids, np.int64)
    if repeat:
        drawn = keyed_integers(seed, ("identifiers", field, mode, "repeat"), numbers, maker.capacity)
    else:
        check_fits(field, numbers, maker.capacity)
        drawn = permutation(seed, field, mode, maker.capacity).forward(numbers)
    text = maker.render(drawn)
    return text if isinstance(text, pa.Array) else checks.to_strings(text)


def check_fits(field: str, numbers: IntArray, limit: int) -> None:
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= limit):
        worst = int(numbers.min()) if numbers.min() < 0 else int(numbers.max())
        raise PlanError(
            f"identifiers.{field}",
            worst,
            f"a number from 0 to {limit - 1}, the reserved values that exist",
            hint="Use a smaller size, or allow repetition where people share a value.",
        )
