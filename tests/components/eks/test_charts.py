"""Charts are pinned to what the tests run, and their images are the stack's."""

import re
from pathlib import Path

import pytest

from components.eks.charts import chart_plans, karpenter_values, keda_values
from components.images import locked_images
from stacks.errors import InputError
from tests.components.aws.registered import plan_of
from tests.components.eks.plans import KARPENTER, in_cluster

TOOLS = Path(__file__).parents[3] / "tools"
MODULES = {
    "keda": "github.com/kedacore/keda/v2",
    "karpenter": "github.com/aws/karpenter-provider-aws",
}
DIGEST = f"sha256:{64 * 'a'}"


@pytest.mark.parametrize("name", MODULES)
def test_a_chart_and_its_images_have_the_version_that_the_tests_run(name):
    charts = {each.name: each for each in in_cluster("prod", KARPENTER).charts}
    required = (TOOLS / name / "go.mod").read_text(encoding="utf-8")
    tested = re.search(rf"{MODULES[name]} v(\S+)", required)
    assert tested

    assert charts[name].version == tested.group(1)
    for image, locked in locked_images().items():
        if image.startswith(name):
            assert f":{tested.group(1)}@" in locked


@pytest.mark.parametrize(
    ("stack", "changes", "wanted"),
    [
        ("prod", {}, {"keda"}),
        ("shadow", {}, set()),  # its pool has a fixed size
        ("shadow", KARPENTER, {"karpenter"}),
    ],
)
def test_only_what_is_needed_is_installed(stack, changes, wanted):
    assert {each.name for each in in_cluster(stack, changes).charts} == wanted


@pytest.mark.parametrize(
    ("own", "version"), [("oci://registry.example.com/keda", "2.20.0"), ("./charts/keda.tgz", None)]
)
def test_a_stack_may_name_its_own_copy(own, version):
    (chart,) = chart_plans(plan_of("prod", {"target.charts": {"keda": own}}), locked_images())

    assert (chart.chart, chart.repository, chart.version) == (own, None, version)


def test_without_a_way_out_it_must():
    with pytest.raises(InputError, match=r"target\.charts\.karpenter"):
        plan_of("regulated", KARPENTER)

    own = {"target.charts": {"karpenter": "oci://registry.example.com/karpenter"}}
    assert plan_of("regulated", KARPENTER | own).karpenter


@pytest.mark.parametrize(
    "location", ["keda", "https://example.com/keda.tgz", "oci://a/keda:2.20.0"]
)
def test_a_copy_is_in_a_registry_or_beside_the_program(location):
    with pytest.raises(InputError, match=r"oci://<registry>"):
        plan_of("prod", {"target.charts": {"keda": location}})


IMAGES = [
    f"ghcr.io/kedacore/keda:2.20.0@{DIGEST}",
    f"registry.example.com:5000/own/keda@{DIGEST}",
]


@pytest.mark.parametrize("image", IMAGES)
def test_kedas_chart_puts_the_image_together_again(image):
    images = {"keda": image, "keda-metrics-apiserver": image}
    values = keda_values(plan_of("prod"), images)["image"]["keda"]

    assert values["registry"] == ""
    assert f"{values['repository']}:{values['tag']}" == image


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (
            f"public.ecr.aws/karpenter/controller:1.14.1@{DIGEST}",
            {"repository": "public.ecr.aws/karpenter/controller", "tag": "1.14.1"},
        ),
        (
            f"registry.example.com:5000/own/karpenter@{DIGEST}",
            {"repository": "registry.example.com:5000/own/karpenter"},
        ),
    ],
)
def test_karpenters_chart_gets_the_digest(image, found):
    values = karpenter_values(plan_of("prod"), {"karpenter": image})

    assert values["controller"]["image"] == found | {"digest": DIGEST}


@pytest.mark.parametrize(("stack", "isolated"), [("prod", False), ("regulated", True)])
def test_karpenter_knows_whether_there_is_a_way_out(stack, isolated):
    settings = karpenter_values(plan_of(stack), locked_images())["settings"]

    assert settings["isolatedVPC"] is isolated
    assert settings["clusterName"] == f"breakeven-{stack}"
