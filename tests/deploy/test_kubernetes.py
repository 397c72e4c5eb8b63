"""The manifests of Kubernetes follow its schemas, and agree with the image and the program."""

import copy

import pytest
import yaml

from tests.docs.pages import ROOT
from vidan.config.shards import Shard
from vidan.errors import ConfigError
from vidan_plugins.tools.batch.settings import read_settings

from .dockerfile import instructions

FILES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
VERSIONS = ("1.29", "1.37")
"""The first one in which all fields that are used are enabled, and the latest one."""

OBJECTS = [each for file in FILES for each in yaml.safe_load_all(file.read_text())]


def expanded(text, container, index):
    """An argument of a container as Kubernetes passes it to the pod of an index."""
    for each in container["env"]:
        text = text.replace(f"$({each['name']})", each.get("value", str(index)))
    return text


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("resource", OBJECTS, ids=lambda each: each["kind"])
def test_manifests_are_valid(resource, version):
    schemas = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate: pip install vidan[test]"
    )
    schemas.validate(resource, version, strict=True)
    wrong = copy.deepcopy(resource)
    wrong["spec"]["replica"] = 3
    with pytest.raises(schemas.ValidationError, match="'replica' was unexpected"):
        schemas.validate(wrong, version, strict=True)


@pytest.mark.parametrize(
    "resource", [r for r in OBJECTS if "template" in r["spec"]], ids=lambda each: each["kind"]
)
def test_pods_run_as_the_user_of_the_image(resource):
    context = resource["spec"]["template"]["spec"]["securityContext"]
    user = [rest for name, rest in instructions() if name == "USER"][-1]
    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"


@pytest.mark.parametrize(
    ("kind", "pods"), [("StatefulSet", "replicas"), ("Job", "completions")], ids=str
)
def test_each_pod_has_a_share(kind, pods):
    (resource,) = [r for r in OBJECTS if r["kind"] == kind]
    (container,) = resource["spec"]["template"]["spec"]["containers"]
    (shard,) = [a for a in container["args"] if a.startswith("shard=")]
    count = resource["spec"][pods]
    for index in range(count):
        assert Shard.parse(expanded(shard.removeprefix("shard="), container, index)) == (
            index,
            count,
        )


def test_the_arguments_of_files_are_valid():
    (job,) = [r for r in OBJECTS if r["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    command, *overrides = [expanded(argument, container, 3) for argument in container["args"]]
    assert command == "batch"
    settings, config = read_settings(overrides)
    assert (settings.run_dir, settings.shard, settings.quiet) == ("/out/3", "3/8", True)
    assert config.source.path == "/clips/**/*.mp4"
    (rule, _) = job["spec"]["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [ConfigError.exit_code]
