"""Croissant 1.1 metadata with the responsible-AI vocabulary 1.0, as a plain dictionary of JSON-LD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rarecase.common.schema import Column, Schema, Table

MEDIA = {
    "parquet": "application/x-parquet",
    "csv": "text/csv",
    "jsonl": "application/jsonlines",
}
_TYPES = {
    "key": "sc:Integer",
    "int8": "sc:Integer",
    "int16": "sc:Integer",
    "int32": "sc:Integer",
    "int64": "sc:Integer",
    "float32": "sc:Float",
    "float64": "sc:Float",
    "bool": "sc:Boolean",
    "string": "sc:Text",
    "category": "sc:Text",
    "date": "sc:Date",
    "timestamp": "sc:DateTime",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(manifest: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The metadata of a set: one record set per table, one file object per file, and what is planted."""
    name = f"rarecase-{manifest['domain']}-{manifest['seed']}"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": name,
        "description": _description(manifest),
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "url": f"urn:rarecase:{manifest['plan']}",
        "version": "1.0.0",
        # A day of the data, not of the making: nothing here may depend on the clock.
        "datePublished": manifest["spec"]["start"],
        "citeAs": f"rarecase {manifest['rarecase']}, {manifest['domain']}, seed {manifest['seed']}, "
        f"plan {manifest['plan'][:16]}",
        "isLiveDataset": False,
        **_responsible(manifest, schema),
        "distribution": _distribution(manifest, schema),
        "recordSet": [_record_set(table, schema, manifest["storage"]) for table in schema.tables],
    }


def _description(manifest: Mapping[str, Any]) -> str:
    planted = sum(case["planted"] for case in manifest["cases"].values() if case["is_case"])
    alike = sum(case["planted"] for case in manifest["cases"].values() if not case["is_case"])
    return (
        f"Wholly synthetic {manifest['domain']} data made by rarecase {manifest['rarecase']}: "
        f"{manifest['rows']} rows, {planted} planted rare cases and {alike} look-alikes, all labelled."
    )


def _responsible(manifest: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    private = [
        f"{table.name}.{column.name}"
        for table in schema.tables
        for column in table.columns
        if column.privacy == "direct"
    ]
    enriched = [name for name, case in manifest["cases"].items() if case["in_nature"]]
    return {
        "rai:dataCollection": "Not collected: computed from a spec and published figures; "
        "no record of a person was used.",
        "rai:dataCollectionType": "Software Collection",
        "rai:dataBiases": "Rare cases are planted more often than in nature: "
        + (", ".join(enriched) if enriched else "none of them with a published rate")
        + ". The table weights leads back to natural shares of entities.",
        "rai:dataLimitations": "What the generator does not model is not there; results on these data are "
        "no evidence about real people, patients or roads.",
        "rai:dataUseCases": "Seeding test databases, training and testing detectors, libraries of scenarios.",
        "rai:dataSocialImpact": "Systems can be tested on rare cases without the records of real people.",
        "rai:personalSensitiveInformation": (
            f"None of real people. Columns that imitate direct identifiers: {', '.join(private)}."
            if private
            else "None."
        ),
    }


def _distribution(manifest: Mapping[str, Any], schema: Schema) -> list[dict[str, Any]]:
    media = MEDIA.get(manifest["storage"], "application/octet-stream")
    objects = [
        {
            "@type": "cr:FileObject",
            "@id": file["path"],
            "name": file["path"],
            "contentUrl": file["path"],
            "encodingFormat": media,
            "contentSize": f"{file['bytes']} B",
            "sha256": file["sha256"],
        }
        for file in manifest["files"]
    ]
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"files-of-{table.name}",
            "name": f"files-of-{table.name}",
            "encodingFormat": media,
            "includes": f"{table.name}/part-*",
        }
        for table in schema.tables
    ]
    return objects + sets


def _record_set(table: Table, schema: Schema, storage: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.meaning,
        "field": [_field(table, column, storage) for column in table.columns],
    }
    if table.key:
        keys = [{"@id": f"{table.name}/{name}"} for name in table.key]
        told["key"] = keys[0] if len(keys) == 1 else keys
    return told


def _field(table: Table, column: Column, storage: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": column.meaning + (f" ({column.unit})" if column.unit else ""),
        "dataType": "sc:Text" if storage == "jsonl" and column.type == "key" else _TYPES[column.type],
        "source": {"fileSet": {"@id": f"files-of-{table.name}"}, "extract": {"column": column.name}},
    }
    for reference in table.references:
        if reference.columns == (column.name,):
            told["references"] = {"field": {"@id": f"{reference.table}/{reference.to[0]}"}}
    return told
