"""The manifests of Kubernetes follow its schemas, and agree with the image and the program."""

import copy

import pytest
import yaml

from tests.docs.pages import ROOT
from vidan.config.shards import Shard

from .dockerfile import instructions

FILES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
VERSIONS = ("1.28", "1.37")
"""The first one with the index of a pod of a StatefulSet as a label, and the latest one known."""

OBJECTS = [each for file in FILES for each in yaml.safe_load_all(file.read_text())]


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


def test_each_pod_has_a_share_of_the_streams():
    (cameras,) = [r for r in OBJECTS if r["kind"] == "StatefulSet"]
    (container,) = cameras["spec"]["template"]["spec"]["containers"]
    values = {each["name"]: each.get("value") for each in container["env"]}
    count = cameras["spec"]["replicas"]
    for index in range(count):
        (shard,) = [a for a in container["args"] if a.startswith("shard=")]
        text = shard.removeprefix("shard=").replace("$(SHARDS)", values["SHARDS"])
        assert Shard.parse(text.replace("$(INDEX)", str(index))) == (index, count)
