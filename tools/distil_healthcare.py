"""Distil the reference tables that rarecase.healthcare ships from the public sets they come from.

Usage: python tools/distil_healthcare.py SOURCES [OUT]

SOURCES holds the public files under the names of `data/SOURCES.toml`; OUT defaults to the package's data
folder. The same sources give the same tables: nothing is drawn, and no clock is read. Tables that were
written by hand (analytes, background conditions, prescriptions …) lie beside the distilled ones, untouched.
"""

from __future__ import annotations

import gzip
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ONSETS = ("Antenatal", "Neonatal", "Infancy", "Childhood", "Adolescent", "Adult", "Elderly", "All ages")
MODES = (
    "Autosomal recessive",
    "Autosomal dominant",
    "X-linked recessive",
    "X-linked dominant",
    "Mitochondrial inheritance",
    "Multigenic/multifactorial",
    "Not applicable",
    "Unknown",
)
FREQUENCIES = ("Excluded", "Very rare", "Occasional", "Frequent", "Very frequent", "Obligate")
#: Bounds of Orphanet's prevalence classes. The lowest class has no lower bound; a tenth of its upper one
#: stands for it, so that the geometric mean (3.2e-7) is what a reader would guess.
CLASSES = {
    ">1 / 1000": (1e-3, 5e-3),
    "6-9 / 10 000": (6e-4, 9e-4),
    "1-5 / 10 000": (1e-4, 5e-4),
    "1-9 / 100 000": (1e-5, 9e-5),
    "1-9 / 1 000 000": (1e-6, 9e-6),
    "<1 / 1 000 000": (1e-7, 1e-6),
}
#: Kinds of record in the order of trust, for a share of the living: what is no point prevalence is only a
#: stand-in for one, and its evidence says so.
BASES = {
    "Point prevalence": "point",
    "Prevalence at birth": "birth",
    "Lifetime Prevalence": "lifetime",
    "Annual incidence": "incidence",
}
#: Areas by what they say of the world; then the median of several countries; one alone comes last.
PLACES = ("Worldwide", "Europe", "United States")
COUNTRIES = "several countries"
#: Upper bound of 1-5 in 10,000, the most that is rare.
COMMON_CLASS = 5e-4
NOWHERE = ("Specific population",)
#: Makes a share of the living out of a yearly rate. Orphanet gives an incidence alone mostly for what is over
#: within a year or so (infections, aggressive cancers), one way or the other.
YEARS_WITH_DISEASE = 1.0
WORLD = 8.1e9
Record = tuple[str, str, str]
Estimate = tuple[float, str, str, str, str]
MALE_ROOTS = ("HP:0010461", "HP:0008669", "HP:0008775", "HP:0000771", "HP:0012864")
FEMALE_ROOTS = ("HP:0010460", "HP:0000140", "HP:0008222", "HP:0100615")
#: Branches of HPO whose terms are there at birth or not at all (reviewed one by one); what HPO itself says of
#: later life beneath them is left out, and so is what may be acquired (fractures, contractures, wasting).
CONGENITAL_ROOTS = (
    "HP:0001197",  # abnormality of prenatal development or birth
    "HP:0001671",  # abnormal cardiac septum morphology
    "HP:0001999",  # abnormal facial shape
    "HP:0000202",  # orofacial cleft
    "HP:0009815",  # aplasia or hypoplasia of the extremities
    "HP:0001159",  # syndactyly
    "HP:0010442",  # polydactyly
    "HP:0000589",  # coloboma
    "HP:0008056",  # aplasia or hypoplasia affecting the eye
    "HP:0000377",  # abnormal pinna morphology
    "HP:0000286",  # epicanthus
    "HP:0000316",  # hypertelorism
    "HP:0000601",  # hypotelorism
    "HP:0008050",  # abnormality of the palpebral fissures
    "HP:0005105",  # abnormal nasal morphology
    "HP:0000288",  # abnormality of the philtrum
    "HP:0000290",  # abnormal forehead morphology
    "HP:0000347",  # micrognathia
    "HP:0002084",  # encephalocele
    "HP:0002323",  # anencephaly
    "HP:0002414",  # spina bifida
    "HP:0000776",  # congenital diaphragmatic hernia
    "HP:0000811",  # abnormal external genitalia morphology
    "HP:0000104",  # renal agenesis
    "HP:0007370",  # aplasia or hypoplasia of the corpus callosum
    "HP:0001302",  # pachygyria
    "HP:0001360",  # holoprosencephaly
    "HP:0002023",  # anal atresia
    "HP:0002032",  # esophageal atresia
    "HP:0001762",  # talipes equinovarus
    "HP:0001363",  # craniosynostosis
    "HP:0000465",  # webbed neck
)
CONGENITAL_NAMES = re.compile(
    r"^congenital |tetralogy of fallot|transposition of the great|truncus arteriosus"
)
LATER_LIFE = re.compile(
    r"acquired|secondary|progressive|postnatal|late-onset|atrophy of|coarse|neoplasm|failure|hydrocele|tumor"
)
PHENOTYPE_ROOT = "HP:0000118"


def main(arguments: list[str]) -> None:
    """Write every distilled table."""
    source = Path(arguments[0])
    here = Path(__file__).resolve().parents[1] / "rarecase" / "healthcare" / "data"
    out = Path(arguments[1]) if len(arguments) > 1 else here
    out.mkdir(parents=True, exist_ok=True)
    disorders = _disorders(source)
    terms, pairs = _phenotypes(source, disorders)
    _write(disorders, out / "disorders.parquet")
    _write(pairs, out / "phenotypes.parquet")
    _write(terms, out / "terms.parquet")
    for name, table in _small(source).items():
        table.to_csv(out / name, index=False, lineterminator="\n")


def _write(table: pd.DataFrame, path: Path) -> None:
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, compression="zstd", compression_level=19)


def _read(source: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(source / name, dtype=str, keep_default_na=False)


# -- disorders ---------------------------------------------------------------------------------------------


def _disorders(source: Path) -> pd.DataFrame:
    """Disorders with phenotypes, onset, inheritance and prevalence records, by ORPHA code."""
    every = _read(source, "orpha_disorders.csv.gz")
    records = _read(source, "orpha_prevalence.csv.gz")
    means = _read(source, "orphadata2021_prevalence_mean.csv.gz")
    described = set(_read(source, "orpha_hpo_frequency.csv.gz").orpha_code)
    counted = set(records.orpha_code)
    told = every[(every.onset != "") & (every.inheritance != "")]
    kept = told[told.orpha_code.isin(described) & told.orpha_code.isin(counted)].copy()
    kept["orpha"] = kept.orpha_code.astype("int32")
    kept = kept.sort_values("orpha").reset_index(drop=True)
    estimates = _prevalences(records, means, kept.orpha_code)
    codes = _icd10(source)
    return pd.DataFrame(
        {
            "orpha": kept.orpha,
            "name": kept.label,
            "synonyms": kept.synonyms,
            "onset": kept.onset.map(lambda text: _bits(text, ONSETS)).astype("int16"),
            "inheritance": kept.inheritance.map(lambda text: _bits(text, MODES)).astype("int16"),
            "prevalence": [estimates[code][0] for code in kept.orpha_code],
            "prevalence_class": pd.Categorical([estimates[code][1] for code in kept.orpha_code]),
            "basis": pd.Categorical([estimates[code][2] for code in kept.orpha_code]),
            "evidence": pd.Categorical([estimates[code][3] for code in kept.orpha_code]),
            "place": pd.Categorical([estimates[code][4] for code in kept.orpha_code]),
            "icd10cm": [codes.get(code) for code in kept.orpha_code],
        }
    )


def _bits(text: str, names: tuple[str, ...]) -> int:
    return sum(1 << names.index(word) for word in text.split("|") if word in names)


def _prevalences(records: pd.DataFrame, means: pd.DataFrame, codes: Iterable[str]) -> dict[str, Estimate]:
    """Per disorder: share of the living (NaN unknown), class, basis, evidence and place."""
    classed: dict[tuple[str, str], list[Record]] = defaultdict(list)
    families: dict[str, float] = defaultdict(float)
    for row in records.itertuples(index=False):
        # A village of founders says nothing of the world.
        if row[3] in CLASSES and row.geographic not in NOWHERE:
            classed[row.orpha_code, row.type].append((row.geographic, row[3], row.qualification))
    for row in means[means.type == "Cases/families"].itertuples(index=False):
        families[row.orpha_code] = max(families[row.orpha_code], float(row.val_moy or 0))
    valued: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for row in means.itertuples(index=False):
        if row.type in BASES and float(row.val_moy or 0) > 0:
            valued[row.orpha_code, row.type].append((row.geographic, float(row.val_moy) / 1e5))
    return {code: _prevalence(code, classed, valued, families) for code in codes}


def _prevalence(
    code: str,
    classed: dict[tuple[str, str], list[Record]],
    valued: dict[tuple[str, str], list[tuple[str, float]]],
    families: dict[str, float],
) -> Estimate:
    """The most trusted kind of record for a wide area, or several countries; then what one country has."""
    one = None
    for kind, basis in BASES.items():
        found = classed.get((code, kind))
        if not found:
            continue
        place, name, qualification = _central(found)
        low, high = CLASSES[name]
        if place not in PLACES and place != COUNTRIES:
            # What is common in one country and told of no other is a founder's: no figure for the world.
            if high < COMMON_CLASS:
                one = one or (_year(low, basis), name, basis, "expert", place)
            continue
        values = [value for where, value in valued.get((code, kind), []) if where == place]
        value = min(max(median(values), low), high) if values else math.sqrt(low * high)
        counted = basis == "point" and qualification == "Value and class"
        return _year(value, basis), name, basis, "observed" if counted else "expert", place
    if one:
        # One country alone: the least that its class allows.
        return one
    if families.get(code, 0) > 0:
        # Known patients are a lower bound, the class below one in a million an upper one.
        low = families[code] / WORLD
        return math.sqrt(min(low, 1e-6) * 1e-6), "cases or families", "cases", "expert", "Worldwide"
    return math.nan, "unknown", "unknown", "expert", "unknown"


def _year(value: float, basis: str) -> float:
    """A share of the living, out of what its kind of record counts."""
    return min(value * YEARS_WITH_DISEASE, 5e-4) if basis == "incidence" else value


def _central(found: list[Record]) -> Record:
    """The record for the widest area; among several countries the one of the median class."""
    for place in PLACES:
        here = [record for record in found if record[0] == place]
        if here:
            return _median_class(here)
    middle = _median_class(found)
    several = len({record[0] for record in found}) > 1
    return (COUNTRIES if several else middle[0], middle[1], middle[2])


def _median_class(found: list[Record]) -> Record:
    ordered = sorted(found, key=lambda record: (CLASSES[record[1]][0], record))
    return ordered[(len(ordered) - 1) // 2]


def _icd10(source: Path) -> dict[str, str]:
    table = _read(source, "orpha_icd10cm_exact_name_match.csv")
    return dict(zip(table.orpha_code[::-1], table.icd10cm[::-1], strict=True))


# -- phenotypes --------------------------------------------------------------------------------------------


def _phenotypes(source: Path, disorders: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Terms with their links, and the frequency class of each term in each disorder."""
    table = _read(source, "orpha_hpo_frequency.csv.gz")
    place = {str(code): position for position, code in enumerate(disorders.orpha)}
    table = table[table.orpha_code.isin(place)]
    names, parents, current = _ontology(source / "hp_2025-01-16.obo.gz")
    codes = [current.get(code, code) for code in table.hpo_id]
    used = {code for code in codes if code in names}
    closed = sorted(set().union(*(_up(code, parents) for code in used)))
    index = {code: position for position, code in enumerate(closed)}
    organs = _organs(names, parents)
    terms = pd.DataFrame(
        {
            "hpo_id": closed,
            "name": [names[code] for code in closed],
            "organ": pd.Categorical([organs(code) for code in closed]),
            "sex": pd.Series([_sex_of_term(code, parents) for code in closed], dtype="int8"),
            "congenital": [_congenital(code, names, parents) for code in closed],
            "parents": [[index[parent] for parent in parents[code]] for code in closed],
        }
    )
    rank = {name: position for position, name in enumerate(FREQUENCIES)}
    pairs = pd.DataFrame(
        {
            "disorder": [place[code] for code in table.orpha_code],
            "term": [index.get(code, -1) for code in codes],
            "frequency": [rank[text.split(" (")[0]] for text in table.frequency_class],
        }
    )
    pairs = pairs[pairs.term >= 0].sort_values(["disorder", "term", "frequency"])
    pairs = pairs.drop_duplicates(["disorder", "term"], keep="last")
    return terms, pairs.astype({"disorder": "int16", "term": "int16", "frequency": "int8"})


def _ontology(path: Path) -> tuple[dict[str, str], dict[str, list[str]], dict[str, str]]:
    """Names, is-a links and, for identifiers that were merged or replaced, the current one."""
    names: dict[str, str] = {}
    parents: dict[str, list[str]] = {}
    current: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for stanza in _stanzas(lines):
            code = stanza["id"][0]
            for other in stanza.get("alt_id", []):
                current[other] = code
            if "is_obsolete" in stanza:
                for other in stanza.get("replaced_by", []):
                    current[code] = other
                continue
            names[code] = stanza["name"][0]
            parents[code] = [link.split(" ")[0] for link in stanza.get("is_a", [])]
    return names, parents, current


def _stanzas(lines: Iterable[str]) -> Iterator[dict[str, list[str]]]:
    stanza: dict[str, list[str]] | None = None
    for line in lines:
        text = line.rstrip("\n")
        if text.startswith("["):
            if stanza:
                yield stanza
            stanza = defaultdict(list) if text == "[Term]" else None
        elif stanza is not None and ": " in text:
            key, value = text.split(": ", 1)
            stanza[key].append(value)
    if stanza:
        yield stanza


def _up(code: str, parents: dict[str, list[str]]) -> set[str]:
    found, todo = {code}, [code]
    while todo:
        for parent in parents[todo.pop()]:
            if parent not in found:
                found.add(parent)
                todo.append(parent)
    return found


def _organs(names: dict[str, str], parents: dict[str, list[str]]):  # type: ignore[no-untyped-def]
    """Each term's organ system: the child of phenotypic abnormality above it that covers fewest terms."""
    tops = {code for code, above in parents.items() if PHENOTYPE_ROOT in above}
    covered: dict[str, int] = defaultdict(int)
    above = {code: _up(code, parents) & tops for code in names}
    for found in above.values():
        for top in found:
            covered[top] += 1

    def organ(code: str) -> str:
        found = sorted(above[code], key=lambda top: (covered[top], top))
        return names[found[0]] if found else "All"

    return organ


def _sex_of_term(code: str, parents: dict[str, list[str]]) -> int:
    above = _up(code, parents)
    male, female = bool(above & set(MALE_ROOTS)), bool(above & set(FEMALE_ROOTS))
    return 0 if male == female else 1 if male else 2


def _congenital(code: str, names: dict[str, str], parents: dict[str, list[str]]) -> bool:
    """Whether a term is there at birth or not at all."""
    if LATER_LIFE.search(names[code].lower()):
        return False
    return bool(_up(code, parents) & set(CONGENITAL_ROOTS)) or bool(
        CONGENITAL_NAMES.search(names[code].lower())
    )


# -- small tables ------------------------------------------------------------------------------------------


def _small(source: Path) -> dict[str, pd.DataFrame]:
    return {
        "population.csv": pd.read_csv(source / "us_population_2020_age_sex.csv"),
        "life_table.csv": pd.read_csv(source / "us_life_table_qx.csv"),
        "drugs.csv": _drugs(source),
        "exposure_ratios.csv": _ratios(source),
        "apparent_fm.csv": _fm(source),
    }


def _drugs(source: Path) -> pd.DataFrame:
    """Identifiers and CYP3A role of every drug, with the confidence of the role."""
    roles = _read(source, "drug_interaction_roles.csv")
    cpic = _read(source, "cpic_drugs.csv").set_index("name")
    known = {row.drug: row for row in roles.itertuples(index=False)}
    rows = []
    for name in sorted(
        set(known) | {name for name in cpic.index if name == name.lower() and cpic.rxcui[name]}
    ):
        row = known.get(name)
        listed = cpic.loc[name] if name in cpic.index else None
        rxcui = (row.rxcui if row else "") or (listed.rxcui if listed is not None else "")
        atc = (row.atc if row else "") or (listed.atc if listed is not None else "")
        role = _cyp3a(row.roles) if row else ""
        rows.append((name, rxcui, _systemic(atc), role, _confidence(row, role)))
    return pd.DataFrame(rows, columns=["drug", "rxcui", "atc", "cyp3a", "confidence"])


def _systemic(codes: str) -> str:
    """The first complete ATC code that is not of a local form (skin, eye and ear, mouth, nose, enema)."""
    complete = [code for code in codes.split("|") if len(code) == 7]
    systemic = [
        code for code in complete if not code.startswith(("D", "S", "A01", "A07E", "C05", "R01", "L01XX"))
    ]
    return (systemic or complete or [""])[0]


def _cyp3a(roles: str) -> str:
    return "|".join(part.removeprefix("CYP3A:") for part in roles.split("|") if part.startswith("CYP3A:"))


def _confidence(row, role: str) -> str:  # type: ignore[no-untyped-def]
    """checked: an open database agrees with the substrate claim; transcribed: from memory of FDA's table."""
    if not role:
        return ""
    checked = row.substrate_crosscheck == "agree" and "substrate" in role
    return "checked" if checked else "transcribed"


def _ratios(source: Path) -> pd.DataFrame:
    """AUC ratio per pair of victim and inhibitor: the geometric mean over studies, each over its arms first.

    Pairs that no study of the first collection has are filled with the largest ratio that the interaction
    database of FDA's names with its perpetrator.
    """
    arms = pd.read_csv(source / "clinical_ddi_auc_ratios.csv").rename(columns={"AUCR Avg": "ratio"})
    arms = arms[
        arms.ratio.notna() & arms.Mechanism.isin(["Reversible_Inhibition", "Mechanism_based_Inactivation"])
    ]
    arms = arms[arms["Route Victim"].eq("PO") | arms["Route Victim"].isna()]
    arms["victim"], arms["perpetrator"] = arms.Victim.str.lower(), arms.Perpetrator.str.lower()
    roles = _read(source, "drug_interaction_roles.csv").set_index("drug").roles
    sensitive = {name for name in roles.index if "CYP3A:substrate:sensitive" in roles[name]}
    strong = {name for name in roles.index if "CYP3A:inhibitor:strong" in roles[name]}
    arms = arms[arms.victim.isin(sensitive) & arms.perpetrator.isin(strong)]
    rows = []
    for (victim, perpetrator), group in arms.groupby(["victim", "perpetrator"]):
        papers = sorted({_paper(text) for text in group.Reference if "nlm.nih.gov" in text} - {""})
        if papers and group.ratio.max() < 50:
            studies = [_geometric(study.ratio) for _, study in group.groupby("Reference")]
            figures = (_geometric(studies), min(studies), max(studies))
            told = (len(studies), len(group), "studies", " ".join(papers))
            rows.append((victim, perpetrator, *(round(x, 3) for x in figures), *told))
    known = {(row[0], row[1]) for row in rows}
    rows += [row for row in _largest(source, sensitive, strong) if (row[0], row[1]) not in known]
    columns = ["victim", "perpetrator", "ratio", "low", "high", "studies", "arms", "basis", "reference"]
    return pd.DataFrame(sorted(rows), columns=columns)


def _geometric(values: Iterable[float]) -> float:
    found = [math.log(value) for value in values]
    return math.exp(sum(found) / len(found))


def _largest(source: Path, sensitive: set[str], strong: set[str]) -> list[tuple[object, ...]]:
    """Oral victims with the strong inhibitor that gave the largest ratio, with its reference."""
    table = _read(source, "fda_oi_didb_2015.csv")
    table = table[table.name.isin(sensitive) & table.ddi_inhibitor.isin(strong) & (table.ddi_route == "po")]
    return [
        (row.name, row.ddi_inhibitor, ratio, ratio, ratio, 1, 1, "largest published", row.ddi_ref.strip())
        for row, ratio in ((row, round(float(row.ddi_AUCR), 3)) for row in table.itertuples(index=False))
    ]


def _paper(reference: str) -> str:
    last = reference.rstrip("/").split("/")[-1].replace("?term=", "")
    return last if last.isdigit() else ""


def _fm(source: Path) -> pd.DataFrame:
    table = pd.read_csv(source / "fda_oi_didb_fm3a4.csv")
    table = table.rename(columns={"AUCR": "ketoconazole_ratio", "fm3A4_apparent": "apparent_fm"})
    return table[["name", "ketoconazole_ratio", "apparent_fm"]].round(4)


if __name__ == "__main__":
    main(sys.argv[1:])
