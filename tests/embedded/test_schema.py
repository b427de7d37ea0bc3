"""The schema data: up to date with the installed client, complete, and as the resources need it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from kubetour.embedded import schema
from kubetour.embedded.resources import RESOURCES
from kubetour.embedded.schema_generator import generate
from kubetour.embedded.strategicpatch import _MERGE_KEYS

PACKAGE = Path(schema.__file__).parent


@pytest.mark.skipif(
    version("kubernetes").split(".")[0] != schema.client_version().split(".")[0],
    reason=f"the data was made from the kubernetes client {schema.client_version()}",
)
def test_the_data_is_what_the_generator_makes() -> None:
    made, docs = generate()
    kept = json.loads((PACKAGE / "schema.json").read_text(encoding="utf-8"))
    kept_docs = json.loads((PACKAGE / "schema_docs.json").read_text(encoding="utf-8"))
    again = "python -m kubetour.embedded.schema"
    assert made["structs"] == kept["structs"], f"run {again}"
    assert made["kinds"] == kept["kinds"], f"run {again}"
    assert made["required"] == kept["required"], f"run {again}"
    assert docs == kept_docs, f"run {again}"


def test_every_type_is_a_scalar_or_a_struct_that_is_there() -> None:
    kinds = {schema.element(kind) for fields in schema.structs().values() for kind in fields.values()}
    assert kinds <= schema.SCALARS | set(schema.structs())


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: f"{r.group}/{r.plural}")
def test_every_resource_has_a_struct_with_metadata(resource: object) -> None:
    name = schema.struct_of(resource.api_version, resource.kind)  # type: ignore[attr-defined]
    assert schema.structs()[name]["metadata"] == "V1ObjectMeta"


def test_every_merge_key_is_a_field_of_a_list_that_exists() -> None:
    for (struct, field), key in _MERGE_KEYS.items():
        kind = schema.structs()[struct][field]
        assert kind.startswith("[]"), (struct, field)
        if key:
            assert key in schema.structs()[schema.element(kind)], (struct, field)


def test_a_field_without_words_of_its_own_has_its_structs() -> None:
    assert schema.documentation("V1DeploymentSpec", "replicas").startswith("Number of desired pods")
    assert schema.documentation("V1DeploymentStrategy", "rollingUpdate")
