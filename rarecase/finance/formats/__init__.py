"""The books in the words of others: messages, the files of other simulators, and graphs."""

from __future__ import annotations

from rarecase.common.domain import Format
from rarecase.finance.formats import (
    amlworld,
    camt053,
    graphml,
    iso8583,
    multi_gnn,
    pacs008,
    pain001,
    paysim,
    pyg,
    saml_d,
    sparkov,
)

FORMATS = {
    form.name: form
    for form in (
        Format("pain.001", "ISO 20022 orders of customers to their banks (pain.001.001.09)", pain001.export),
        Format("pacs.008", "ISO 20022 interbank credit transfers (pacs.008.001.08)", pacs008.export),
        Format("camt.053", "ISO 20022 account statements (camt.053.001.08)", camt053.export),
        Format("iso8583", "ISO 8583:1987 authorisation messages of cards", iso8583.export),
        Format("amlworld", "transactions, accounts and patterns as in AMLworld", amlworld.export),
        Format("saml-d", "payments with typologies as in SAML-D", saml_d.export),
        Format("paysim", "payments with balances as in PaySim", paysim.export),
        Format("sparkov", "card purchases as in Sparkov's files on Kaggle", sparkov.export),
        Format("multi-gnn", "payments as numbers as in IBM's Multi-GNN", multi_gnn.export),
        Format("graphml", "the graph of payments as GraphML", graphml.export),
        Format("pyg", "edge arrays for PyTorch Geometric (npz)", pyg.export),
    )
}
