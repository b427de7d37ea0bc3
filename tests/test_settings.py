"""Settings: precedence, origins, errors that name the parameter, the value and the rule."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.errors import UsageError
from kubetour.settings import FIELDS, Settings, check, flag, resolve, variable

NONE: dict[str, Any] = {}


def test_without_anything_given_the_defaults_hold_and_pass_their_own_rules() -> None:
    resolved = resolve(NONE, {}, NONE, NONE)
    assert resolved.settings == Settings()
    assert set(resolved.origins.values()) == {"default"}
    for item in fields(Settings):
        default = getattr(resolved.settings, item.name)
        if default not in ("", None):
            assert check(item.name, default, item.name) == default


LEVELS: list[tuple[str, dict[str, Any]]] = [
    ("flag", {"flags": {"replicas": "5"}}),
    ("environment", {"environ": {"KUBETOUR_REPLICAS": "6"}}),
    ("invoke.yaml", {"config": {"replicas": 7}}),
    ("last command", {"remembered": {"replicas": 8}}),
    ("default", {}),
]
EMPTY: dict[str, Any] = {"flags": {}, "environ": {}, "config": {}, "remembered": {}}


@pytest.mark.parametrize("highest", range(len(LEVELS)), ids=[name for name, _ in LEVELS])
def test_the_highest_source_that_is_given_wins(highest: int) -> None:
    given_here = dict(EMPTY)
    for _, source in LEVELS[highest:]:
        given_here |= source
    resolved = resolve(**given_here)
    assert resolved.origins["replicas"] == LEVELS[highest][0]
    assert resolved.settings.replicas == (5, 6, 7, 8, 3)[highest]


def test_an_empty_environment_variable_counts_as_not_set() -> None:
    assert resolve(NONE, {"KUBETOUR_IMAGE": ""}, NONE, NONE).origins["image"] == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("replicas", "0"),
        ("replicas", "51"),
        ("replicas", "many"),
        ("name", "No"),
        ("name", "9lives"),
        ("name", "a" * 47),
        ("student", "Ann"),
        ("student", "a/b"),
        ("student", "a" * 25),
        ("image", "Web"),
        ("provider", "minikub"),
        ("workers", "-1"),
        ("port", "65536"),
        ("cluster_name", "a" * 41),
        ("lang", "fr"),
        ("context", "--all"),
        ("timeout", "0"),
        ("offline", "perhaps"),
    ],
)
def test_a_bad_flag_is_an_error_that_names_flag_value_and_rule(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve({name: value}, {}, NONE, NONE)
    assert caught.value.key == "setting-invalid"
    assert caught.value.exit_status == 2
    assert caught.value.values["name"] == flag(name)
    assert caught.value.values["value"] == value
    assert caught.value.values["rule"] == FIELDS[name].metadata["rule"].text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ({"environ": {"KUBETOUR_PORT": "http"}}, "KUBETOUR_PORT"),
        ({"config": {"port": "http"}}, "kubetour.port"),
        ({"config": {"port": [8080]}}, "kubetour.port"),
    ],
)
def test_a_bad_value_is_named_by_where_it_stands(source: dict[str, Any], shown: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(**{**EMPTY, **source})
    assert caught.value.values["name"] == shown


def test_a_lower_source_is_not_judged_when_a_higher_one_is_given() -> None:
    assert resolve({"port": "80"}, {"KUBETOUR_PORT": "http"}, NONE, NONE).settings.port == 80


@pytest.mark.parametrize("value", ["0", "many", [], {}, 10**12], ids=repr)
def test_what_was_remembered_and_no_longer_passes_is_dropped(value: Any) -> None:
    resolved = resolve(NONE, {}, NONE, {"replicas": value})
    assert resolved.settings.replicas == 3
    assert resolved.origins["replicas"] == "default"


def test_a_setting_that_does_not_exist_is_refused_in_invoke_yaml_and_passed_over_in_what_was_remembered() -> (
    None
):
    with pytest.raises(UsageError) as caught:
        resolve(NONE, {}, {"replica": 5}, NONE)
    assert caught.value.values["name"] == "replica"
    assert "replicas" in caught.value.values["known"]
    assert resolve(NONE, {}, NONE, {"colour": "red"}).settings == Settings()


def test_only_what_somebody_chose_is_remembered_and_only_what_is_meant_to_be() -> None:
    resolved = resolve({"image": "shop", "timeout": "5", "lang": "zh"}, {}, {"port": 80}, {"replicas": 5})
    assert resolved.to_remember() == {"image": "shop", "port": 80, "replicas": 5}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "image": st.from_regex(r"[a-z]{1,8}(:[a-z0-9]{1,5})?", fullmatch=True),
            "replicas": st.integers(1, 50),
            "workers": st.integers(0, 9),
            "name": st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True),
            "namespace": st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True),
        },
    )
)
def test_what_is_remembered_gives_the_same_settings_to_the_next_command(chosen: dict[str, Any]) -> None:
    first = resolve({name: str(value) for name, value in chosen.items()}, {}, NONE, NONE)
    second = resolve(NONE, {}, NONE, first.to_remember())
    assert second.settings == first.settings


def test_names_of_flags_and_variables_follow_from_the_setting() -> None:
    assert flag("app_dir") == "--app-dir"
    assert variable("app_dir") == "KUBETOUR_APP_DIR"


def test_the_longest_name_still_leaves_room_for_what_its_pods_are_called() -> None:
    longest = check("name", "a" * 46, "--name")
    assert len(f"{longest}-{'f' * 10}-{'x' * 5}") <= 63


@pytest.mark.parametrize(("lang", "language"), [("en", "en"), ("zh", "zh")])
def test_the_language_asked_for_is_the_language(lang: str, language: str) -> None:
    assert Settings(lang=lang).language == language


@pytest.mark.parametrize(
    ("given_too", "cluster", "image"),
    [
        ({}, "kubetour-ann", "node-hostname-ann"),
        ({"cluster_name": "mine"}, "mine", "node-hostname-ann"),
        ({"image": "shop:1"}, "kubetour-ann", "shop:1"),
        ({"image": "node-hostname"}, "kubetour-ann", "node-hostname"),
    ],
    ids=["nothing else", "cluster", "image", "the default, but typed"],
)
def test_a_student_gives_names_of_their_own_and_what_is_given_wins(
    given_too: dict[str, str], cluster: str, image: str
) -> None:
    resolved = resolve({"student": "ann", **given_too}, {}, NONE, NONE)
    assert (resolved.settings.cluster_name, resolved.settings.image) == (cluster, image)
    assert {name for name, origin in resolved.origins.items() if origin == "student"} == {
        "cluster_name",
        "image",
    } - set(given_too)
    assert resolved.to_remember() == {"student": "ann", **given_too}


def test_the_longest_student_name_still_gives_names_that_pass_their_rules() -> None:
    settings = resolve({"student": "a" * 24}, {}, NONE, NONE).settings
    for name in ("cluster_name", "image"):
        assert check(name, getattr(settings, name), name) == getattr(settings, name)


def test_a_student_who_is_named_now_does_not_get_what_other_commands_were_about() -> None:
    remembered = {"cluster_name": "shop", "image": "shop:1"}
    new = resolve({"student": "ann"}, {}, NONE, remembered).settings
    assert (new.cluster_name, new.image) == ("kubetour-ann", "node-hostname-ann")
    again = resolve({}, {}, NONE, {**remembered, "student": "ann"}).settings
    assert (again.cluster_name, again.image) == ("shop", "shop:1"), "what ann has chosen since, she keeps"


def test_another_student_gets_other_names_though_the_last_one_was_remembered() -> None:
    last = resolve({"student": "ann"}, {}, NONE, NONE).to_remember()
    assert resolve({"student": "bob"}, {}, NONE, last).settings.cluster_name == "kubetour-bob"


def test_what_came_with_a_pack_gives_way_to_what_somebody_chose_and_is_not_remembered() -> None:
    packed = {"node_image": "kindest/node:v1", "base": "Not An Image"}
    resolved = resolve(NONE, {}, NONE, NONE, packed)
    assert (resolved.settings.node_image, resolved.origins["node_image"]) == ("kindest/node:v1", "pack")
    assert (resolved.settings.base, resolved.to_remember()) == ("", {})
    chosen = resolve(NONE, {}, NONE, {"node_image": "kindest/node:v2"}, packed)
    assert chosen.settings.node_image == "kindest/node:v2"
