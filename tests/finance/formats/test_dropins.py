"""The files of other simulators: their headers, their words, and what they say of the books."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rarecase.finance.cases import KINDS, laundering
from rarecase.finance.formats import amlworld, saml_d, sparkov
from rarecase.finance.schema import PAYMENT_TYPES
from tests.finance.formats.conftest import Books, plain

_ATTEMPT = re.compile(
    r"BEGIN LAUNDERING ATTEMPT - ([A-Z-]+)(:  Max (\d+)(?: hops|-degree Fan-(?:In|Out)))?\n"
    r"(.+?)END LAUNDERING ATTEMPT - \1\n\n",
    re.DOTALL,
)
_SAML_NORMAL = {
    "Normal_Small_Fan_Out",
    "Normal_Fan_Out",
    "Normal_Fan_In",
    "Normal_Group",
    "Normal_Cash_Withdrawal",
    "Normal_Cash_Deposits",
    "Normal_Periodical",
    "Normal_Plus_Mutual",
    "Normal_Mutual",
    "Normal_Foward",
    "Normal_single_large",
}
_SAML_SUSPICIOUS = {
    "Structuring",
    "Smurfing",
    "Cash_Withdrawal",
    "Deposit-Send",
    "Single_large",
    "Over-Invoicing",
    "Behavioural_Change_1",
    "Behavioural_Change_2",
    "Fan_In",
    "Fan_Out",
    "Layered_Fan_In",
    "Layered_Fan_Out",
    "Scatter-Gather",
    "Gather-Scatter",
    "Cycle",
    "Bipartite",
    "Stacked Bipartite",
}
_LAUNDERING = {kind.model_fields["kind"].default for kind in laundering.KINDS}


def table(books: Books, path: str, **options: Any) -> pd.DataFrame:
    """A file of an export as its users read it."""
    return pd.read_csv(io.BytesIO(books.export(path.split("/")[0])[path]), **options)


def header(books: Books, path: str) -> str:
    return books.export(path.split("/")[0])[path].split(b"\n", 1)[0].decode()


def crimes(books: Books) -> pd.DataFrame:
    """Payments that carry proceeds and are not given back, with kind, role and case."""
    labels = books.frame("labels").merge(books.frame("cases")[["case_id", "is_case"]], on="case_id")
    return labels[
        (labels["table_name"] == "transactions")
        & (labels["effect"] != "removed")
        & labels["is_case"]
        & (labels["tainted_minor"].fillna(0) > 0)
        & ~labels["role"].isin(["recall", "reimbursement"])
    ]


def launders(found: pd.DataFrame) -> pd.Series:
    sent_on = found["role"].isin(["forward", "cash_out"])
    return found["kind"].isin(_LAUNDERING) | (
        sent_on & ~found["kind"].isin(["cheque_kiting", "synthetic_identity"])
    )


@pytest.fixture(scope="module")
def trans(books: Books) -> pd.DataFrame:
    """AMLworld's transactions, as its users read them, with our accounts beside."""
    found = table(books, "amlworld/rarecase_Trans.csv", dtype={"From Bank": str, "To Bank": str})
    keys = table(books, "amlworld/keys.csv", index_col=0)["account_id"]
    assert keys.is_unique
    return found.assign(payer=found["Account"].map(keys), payee=found["Account.1"].map(keys))


def test_amlworld_has_its_header_and_forms(books: Books, trans: pd.DataFrame) -> None:
    assert header(books, "amlworld/rarecase_Trans.csv") == (
        "Timestamp,From Bank,Account,To Bank,Account,Amount Received,Receiving Currency,Amount Paid,"
        "Payment Currency,Payment Format,Is Laundering"
    )
    assert trans["Timestamp"].str.fullmatch(r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}").all()
    assert trans["Timestamp"].is_monotonic_increasing
    for side in ("Account", "Account.1"):
        assert trans[side].str.fullmatch("8[0-9A-F]{8}").all()
    assert trans["From Bank"].str.fullmatch("0[0-9]+").all()
    assert set(trans["Payment Format"]) == {"Credit Card", "Cash", "Cheque", "Wire", "Reinvestment", "ACH"}
    assert set(trans["Payment Currency"]) == set(amlworld.CURRENCY_WORDS.values())
    lines = books.export("amlworld")["amlworld/rarecase_Trans.csv"].split(b"\n")
    assert all(re.match(rb"(?:[^,]*,){5}\d+\.\d\d,[^,]*,\d+\.\d\d,", line) for line in lines[1:-1])


def test_amlworld_tells_all_payments(books: Books, trans: pd.DataFrame) -> None:
    payments = books.frame("transactions").sort_values(["ordered_at", "transaction_id"])
    assert (trans["payer"].to_numpy() == payments["payer_account_id"].to_numpy()).all()
    assert (trans["payee"].to_numpy() == payments["payee_account_id"].to_numpy()).all()
    for ours, theirs in (("amount_minor", "Amount Paid"), ("credited_minor", "Amount Received")):
        assert (np.rint(trans[theirs].to_numpy() * 100) == payments[ours].to_numpy()).all()
    found = crimes(books)
    wanted = payments["transaction_id"].isin(found[launders(found)]["row_id"])
    assert (trans["Is Laundering"].to_numpy() == wanted.to_numpy()).all()
    assert wanted.sum() > 300


def test_amlworld_accounts_belong_to_banks_and_entities(books: Books, trans: pd.DataFrame) -> None:
    assert header(books, "amlworld/rarecase_accounts.csv") == (
        "Bank Name,Bank ID,Account Number,Entity ID,Entity Name"
    )
    accounts = table(books, "amlworld/rarecase_accounts.csv")
    keys = table(books, "amlworld/keys.csv", index_col=0)["account_id"]
    ours = books.frame("accounts").set_index("account_id").loc[accounts["Account Number"].map(keys)]
    assert len(accounts) == len(books.frame("accounts"))
    holder = ours["customer_id"].fillna(ours["merchant_id"]).fillna(ours["organisation_id"])
    holder = holder.fillna(ours["bank_id"]).to_numpy(np.int64)
    for left, right in ((holder, accounts["Entity ID"]), (ours["bank_id"].fillna(0), accounts["Bank ID"])):
        both = pd.DataFrame({"a": np.asarray(left), "b": np.asarray(right)}).drop_duplicates()
        assert both["a"].is_unique
        assert both["b"].is_unique
    number = accounts.set_index("Account Number")["Bank ID"]
    assert (trans["Account"].map(number) == trans["From Bank"].astype(int)).all()
    assert (trans["Account.1"].map(number) == trans["To Bank"].astype(int)).all()
    assert accounts["Entity Name"].str.fullmatch(r"(Individual|Corporation) #\d+").all()


def test_amlworld_patterns_are_what_they_say(books: Books) -> None:
    content = books.export("amlworld")["amlworld/rarecase_Patterns.txt"].decode()
    lines = set(books.export("amlworld")["amlworld/rarecase_Trans.csv"].decode().split("\n"))
    attempts = _ATTEMPT.findall(content)
    assert "".join(match[0] for match in _ATTEMPT.finditer(content)) == content
    cases = books.frame("cases")
    patterns = cases["kind"].str.startswith("laundering_").sum()
    assert len(attempts) == patterns == 16
    assert {name for name, *_ in attempts} == {
        "FAN-OUT",
        "FAN-IN",
        "CYCLE",
        "RANDOM",
        "BIPARTITE",
        "STACK",
        "SCATTER-GATHER",
        "GATHER-SCATTER",
    }
    for name, _, size, body in attempts:
        rows = body.rstrip("\n").split("\n")
        assert set(rows) <= lines
        assert all(row.endswith(",1") for row in rows)
        assert [row[:16] for row in rows] == sorted(row[:16] for row in rows)
        pairs = [(fields[2], fields[4]) for fields in (row.split(",") for row in rows)]
        payers, payees = {payer for payer, _ in pairs}, {payee for _, payee in pairs}
        into = max(len({p for p, q in pairs if q == payee}) for payee in payees)
        assert size == {
            "FAN-OUT": str(len(payees)),
            "FAN-IN": str(len(payers)),
            "GATHER-SCATTER": str(into),
            "CYCLE": str(len(rows)),
            "RANDOM": str(len(rows)),
        }.get(name, "")
        shape = {
            "FAN-OUT": len(payers) == 1,
            "FAN-IN": len(payees) == 1,
            "CYCLE": payers == payees and len(payers) == len(rows),
            "RANDOM": pairs[0][0] not in payees,
            "BIPARTITE": not payers & payees,
            "STACK": bool(payers & payees),
            "SCATTER-GATHER": len(payers - payees) == len(payees - payers) == 1,
            "GATHER-SCATTER": len(payers & payees) == 1,
        }
        assert shape[name], name


def test_multi_gnn_is_what_its_script_makes_of_amlworld(books: Books, trans: pd.DataFrame) -> None:
    path = "multi-gnn/formatted_transactions.csv"
    assert header(books, path) == (
        "EdgeID,from_id,to_id,Timestamp,Amount Sent,Sent Currency,Amount Received,Received Currency,"
        "Payment Format,Is Laundering"
    )
    found = table(books, path)
    nodes = table(books, "multi-gnn/nodes.csv", index_col=0)["account_id"]
    assert found["EdgeID"].tolist() == list(range(len(trans)))
    assert (nodes[found["from_id"]].to_numpy() == trans["payer"].to_numpy()).all()
    assert (nodes[found["to_id"]].to_numpy() == trans["payee"].to_numpy()).all()
    moments = pd.to_datetime(trans["Timestamp"], format="%Y/%m/%d %H:%M")
    assert (found["Timestamp"] == (moments - moments[0].normalize()).dt.total_seconds() + 10).all()
    for theirs, ours in (("Amount Sent", "Amount Paid"), ("Amount Received", "Amount Received")):
        assert (found[theirs] == trans[ours]).all()
    assert (found["Is Laundering"] == trans["Is Laundering"]).all()
    for theirs, ours in (
        ("Sent Currency", "Payment Currency"),
        ("Received Currency", "Receiving Currency"),
        ("Payment Format", "Payment Format"),
    ):
        both = pd.DataFrame({"a": found[theirs], "b": trans[ours]}).drop_duplicates()
        assert both["a"].is_unique
        assert both["b"].is_unique
    assert nodes.index.tolist() == list(range(len(books.frame("accounts"))))


def test_saml_d_speaks_its_words(books: Books) -> None:
    path = "saml-d/SAML-D.csv"
    assert header(books, path) == (
        "Time,Date,Sender_account,Receiver_account,Amount,Payment_currency,Received_currency,"
        "Sender_bank_location,Receiver_bank_location,Payment_type,Is_laundering,Laundering_type"
    )
    found = table(books, path)
    keys = table(books, "saml-d/keys.csv", index_col=0)["account_id"]
    payments = books.frame("transactions").sort_values(["ordered_at", "transaction_id"])
    assert (found["Sender_account"].map(keys).to_numpy() == payments["payer_account_id"].to_numpy()).all()
    moments = pd.to_datetime(found["Date"] + " " + found["Time"], format="%Y-%m-%d %H:%M:%S")
    assert (moments.to_numpy() == payments["ordered_at"].dt.floor("s").to_numpy()).all()
    assert found["Sender_account"].astype(str).str.fullmatch(r"\d{10}").all()
    crime = found["Is_laundering"] == 1
    assert (crime.to_numpy() == payments["transaction_id"].isin(laundered(books)).to_numpy()).all()
    assert set(found[crime]["Laundering_type"]) <= _SAML_SUSPICIOUS
    assert len(set(found[crime]["Laundering_type"])) >= 15
    assert set(found[~crime]["Laundering_type"]) <= _SAML_NORMAL
    assert len(set(found[~crime]["Laundering_type"])) >= 9
    assert set(found["Payment_type"]) == {
        "ACH", "Cash Deposit", "Cash Withdrawal", "Cheque", "Credit card", "Cross-border", "Debit card",
    }  # fmt: skip
    abroad = found["Sender_bank_location"] != found["Receiver_bank_location"]
    assert abroad[found["Payment_type"] == "Cross-border"].all()
    assert not abroad[found["Payment_type"] == "ACH"].any()


def laundered(books: Books) -> set[int]:
    found = crimes(books)
    return set(found[launders(found)]["row_id"])


def test_saml_d_has_a_word_for_everything() -> None:
    kinds = {kind.model_fields["kind"].default: kind for kind in KINDS}
    assert set(saml_d.SUSPICIOUS) == _LAUNDERING
    assert set(saml_d.NORMAL) == set(PAYMENT_TYPES) - {"transfer"}
    assert all(not kinds[name].is_case for name in saml_d.LOOKALIKES)
    assert {*saml_d.SUSPICIOUS.values()} <= _SAML_SUSPICIOUS
    assert {*saml_d.NORMAL.values(), *saml_d.LOOKALIKES.values()} <= _SAML_NORMAL


def test_saml_d_names_the_hops_of_a_pattern(books: Books) -> None:
    found = table(books, "saml-d/SAML-D.csv")
    payments = books.frame("transactions").sort_values(["ordered_at", "transaction_id"])
    told = pd.Series(found["Laundering_type"].to_numpy(), payments["transaction_id"])
    labels = crimes(books)
    for kind, name in saml_d.SUSPICIOUS.items():
        if kind.startswith("laundering_"):
            hops = labels[(labels["kind"] == kind) & (labels["role"] == "hop")]["row_id"]
            assert set(told[hops]) == {name}


@pytest.mark.parametrize("currency", ["EUR", "GBP", "USD", "AUD", "CZK"])
def test_paysim_adds_up_in_every_line(books: Books, currency: str) -> None:
    path = f"paysim/{currency}.csv"
    assert header(books, path) == (
        "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,"
        "isFraud,isFlaggedFraud"
    )
    found = table(books, path)
    minor = {name: np.rint(found[name] * 100).astype(np.int64) for name in found.columns if "balance" in name}
    amount = np.rint(found["amount"] * 100).astype(np.int64)
    sign = np.where(found["type"] == "CASH_IN", 1, -1)
    assert (minor["oldbalanceOrg"] + sign * amount == minor["newbalanceOrig"]).all()
    assert (minor["oldbalanceDest"] - sign * amount == minor["newbalanceDest"]).all()
    assert set(found["type"]) == {"CASH_IN", "CASH_OUT", "DEBIT", "PAYMENT", "TRANSFER"}
    assert found["nameOrig"].str.fullmatch(r"C\d{10}").all()
    assert found["nameDest"].str.fullmatch(r"[CM]\d{10}").all()
    assert found["step"].is_monotonic_increasing
    assert found["step"].min() >= 1
    flagged = (found["type"] == "TRANSFER") & (found["amount"] > 200_000)
    assert (found["isFlaggedFraud"] == flagged).all()


def test_paysim_balances_are_those_of_the_entries(books: Books) -> None:
    keys = table(books, "paysim/keys.csv", index_col=0)["account_id"]
    payments = books.frame("transactions").query("currency == credited_currency")
    after = books.frame("entries").set_index(["transaction_id", "account_id"])["balance_minor"]
    crime = crimes(books)
    fraud = crime[~crime["kind"].isin(_LAUNDERING) | (crime["kind"] == "scam_to_exchange")]["row_id"]
    start = pd.Timestamp(books.dataset.spec.start)
    for currency, ours in payments.groupby("currency"):
        found = table(books, f"paysim/{currency}.csv")
        swapped = (ours["payment_type"] == "cash_deposit").to_numpy()
        payer, payee = ours["payer_account_id"].to_numpy(), ours["payee_account_id"].to_numpy()
        told, wanted = {}, {}
        for name, balance, account in (
            ("nameOrig", "newbalanceOrig", np.where(swapped, payee, payer)),
            ("nameDest", "newbalanceDest", np.where(swapped, payer, payee)),
        ):
            told[name] = found[name].str[1:].astype(int).map(keys).to_numpy()
            told[balance] = np.rint(found[balance] * 100).to_numpy(np.int64)
            wanted[name] = account
            wanted[balance] = after.loc[list(zip(ours["transaction_id"], account, strict=True))].to_numpy()
        told["step"], wanted["step"] = found["step"], (ours["booked_at"] - start) // pd.Timedelta(hours=1) + 1
        told["fraud"], wanted["fraud"] = found["isFraud"] == 1, ours["transaction_id"].isin(fraud)
        same = [
            pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})
            .sort_values(list(told), ignore_index=True)
            .astype(np.int64)
            for columns in (told, wanted)
        ]
        pd.testing.assert_frame_equal(*same)


def test_paysim_balances_go_on_where_they_stood(books: Books) -> None:
    payments = books.frame("transactions")
    abroad = payments.query("currency != credited_currency")
    elsewhere = set(abroad["payer_account_id"]) | set(abroad["payee_account_id"])
    keys = table(books, "paysim/keys.csv", index_col=0)["account_id"]
    checked = 0
    for currency in ("EUR", "GBP", "USD", "AUD", "CZK"):
        found = table(books, f"paysim/{currency}.csv")
        columns = (
            ("nameOrig", "oldbalanceOrg", "newbalanceOrig"),
            ("nameDest", "oldbalanceDest", "newbalanceDest"),
        )
        sides = [
            pd.DataFrame({"who": found[a].str[1:].astype(int), "old": found[b], "new": found[c]}, found.index)
            for a, b, c in columns
        ]
        both = pd.concat(sides).sort_index(kind="stable")
        both = both[~both["who"].map(keys).isin(elsewhere)]
        before = both.groupby("who")["new"].shift()
        known = before.notna()
        checked += known.sum()
        assert np.isclose(before[known], both["old"][known], atol=0.001).all()
    assert checked > 10_000


def test_sparkov_has_its_header_and_its_words(books: Books) -> None:
    wanted = (
        ",trans_date_trans_time,cc_num,merchant,category,amt,first,last,gender,street,city,state,zip,lat,"
        "long,city_pop,job,dob,trans_num,unix_time,merch_lat,merch_long,is_fraud"
    )
    sides = {
        "entertainment",
        "food_dining",
        "gas_transport",
        "grocery_net",
        "grocery_pos",
        "health_fitness",
        "home",
        "kids_pets",
        "misc_net",
        "misc_pos",
        "personal_care",
        "shopping_net",
        "shopping_pos",
        "travel",
    }
    seen = set()
    for path in books.export("sparkov"):
        if path.endswith(".csv"):
            assert header(books, path) == wanted
            found = table(books, path, dtype={"cc_num": str, "zip": str}, keep_default_na=False)
            assert found.columns[0] == "Unnamed: 0"
            assert found["Unnamed: 0"].tolist() == list(range(len(found)))
            assert found["trans_date_trans_time"].is_monotonic_increasing
            moments = pd.to_datetime(found["unix_time"], unit="s").dt.strftime("%Y-%m-%d %H:%M:%S")
            assert (moments == found["trans_date_trans_time"]).all()
            assert found["trans_num"].str.fullmatch("[0-9a-f]{32}").all()
            assert set(found["gender"]) <= {"F", "M", ""}
            assert (found["gender"] != "").mean() > 0.9
            assert found["dob"].str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()
            seen |= set(found["category"])
    assert seen <= sides
    assert len(seen) >= 11


def test_sparkov_tells_every_purchase(books: Books) -> None:
    files = [path for path in books.export("sparkov") if path.endswith(".csv")]
    assert sorted(files) == sorted(
        f"sparkov/{currency}/{name}.csv"
        for currency in ("EUR", "GBP", "USD", "AUD", "CZK")
        for name in ("fraudTrain", "fraudTest")
    )
    found = pd.concat(
        [
            table(books, path, dtype={"cc_num": str, "zip": str}, keep_default_na=False).assign(path=path)
            for path in files
        ]
    )
    days = pd.to_datetime(found["trans_date_trans_time"])
    cut = pd.Timestamp(books.dataset.spec.start) + pd.Timedelta(days=29)
    assert (found["path"].str.contains("Train") == (days < cut)).all()
    ours = books.frame("transactions").query("payment_type == 'card_payment'")
    ours = ours.assign(
        category=[(row.mcc, row.is_remote) for row in ours[["mcc", "is_remote"]].itertuples(index=False)],
        trans=ours["transaction_id"].map(lambda key: f"{int(key):015x}"),
    )
    assert len(found) == len(ours)
    customers = plain(books.frame("customers").set_index("customer_id"))
    places = plain(books.frame("places").set_index("place"))
    merchants = plain(books.frame("merchants").set_index("merchant_id"))
    cards = plain(books.frame("cards").set_index("card_id"))
    new = books.frame("card_replacements").sort_values("replaced_at")
    crime = crimes(books)
    fraud = set(crime[~crime["kind"].isin(_LAUNDERING)]["row_id"])
    told = {key_of(line.trans_num): line for line in found.rename(columns={"Unnamed: 0": "n"}).itertuples()}
    assert set(told) == set(ours["transaction_id"])
    for row in ours.sample(400, random_state=1).itertuples():
        line, card = told[row.transaction_id], cards[row.card_id]
        customer, merchant = customers[card["customer_id"]], merchants[row.merchant_id]
        home, shop = places[customer["place"]], places[merchant["place"]]
        later = new[(new["card_id"] == row.card_id) & (new["replaced_at"] <= row.ordered_at)]["pan"]
        assert line.cc_num == (later.iloc[-1] if len(later) else card["pan"])
        assert f"{line.first} {line.last}" == customer["full_name"]
        assert (line.street, line.dob) == (customer["street"], str(customer["birth_date"])[:10])
        assert (line.city, line.state, line.zip) == (home["town"], home["country"], home["postcode"])
        assert line.city_pop == sum(each["place"] == customer["place"] for each in customers.values())
        assert line.merchant == merchant["merchant_name"]
        assert abs(line.merch_lat - shop["latitude_deg"]) < 1e-6
        assert abs(line.lat - home["latitude_deg"]) < 1e-4
        assert round(line.amt * 100) == row.amount_minor
        assert line.path.split("/")[1] == row.currency
        assert line.is_fraud == (row.transaction_id in fraud)
    assert found["is_fraud"].sum() == len(fraud & set(ours["transaction_id"])) > 10


def key_of(number: str) -> int:
    """The key in a transaction number: 62 bits of a UUID of version 4, around its version and variant."""
    top, low, variant = int(number[:12], 16), int(number[13:16], 16), int(number[16], 16)
    return top << 14 | low << 2 | variant & 3


@pytest.mark.parametrize(
    ("mcc", "remote", "wanted"),
    [
        ("5411", False, "grocery_pos"),
        ("5411", True, "grocery_net"),
        ("5541", False, "gas_transport"),
        ("7011", True, "travel"),
        ("5812", False, "food_dining"),
        ("5912", False, "health_fitness"),
        ("7230", False, "personal_care"),
        ("5200", False, "home"),
        ("7832", True, "entertainment"),
        ("5942", True, "shopping_net"),
        ("5651", False, "shopping_pos"),
        ("5945", False, "kids_pets"),
        ("5968", True, "misc_net"),
        ("9402", False, "misc_pos"),
    ],
)
def test_sparkov_reads_categories_off_the_codes(books: Books, mcc: str, remote: bool, wanted: str) -> None:
    with books.dataset.connect() as connection:
        found = connection.sql("SELECT " + sparkov.category(f"'{mcc}'", str(remote))).fetchall()
    assert found == [(wanted,)]


def test_a_page_beside_the_files_says_that_they_are_synthetic(books: Books) -> None:
    for form in ("amlworld", "saml-d", "paysim", "sparkov", "multi-gnn", "iso8583", "pyg"):
        page = books.export(form)[f"{form}/README.txt"].decode()
        assert "Synthetic data made by rarecase" in page
        assert f"seed {books.dataset.spec.seed}" in page
