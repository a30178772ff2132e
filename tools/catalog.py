"""The programs that are built from pinned Go modules where they are not installed.

Each has a folder of its own here with its go.mod and go.sum: those pin the versions, this table
says what to build from them.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Mend:
    """A known fault of a pinned module that a later release mends: what to read in its place."""

    file: str
    """In the module."""
    reads: dict[str, str]
    """Each text, which must be there once, to what takes its place."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One pinned Go module set and the binaries that come out of it."""

    name: str
    """The folder in tools/ that holds its go.mod."""
    binaries: dict[str, str]
    """File name to Go package, built in this order."""
    minutes: float
    """Cold build on 2 cores that do other work too, measured: what a waiting reader may expect."""
    variables: dict[str, str] = field(default_factory=dict)
    """Go string variables set by the linker (`-X`): the version a release build would embed."""
    tags: tuple[str, ...] = ()
    """Build tags of Go: what is left out, or put in."""
    module: str = ""
    """The module that the files below are taken from."""
    embedded: tuple[str, ...] = ()
    """Files of the module that main.go embeds: copied beside it for the build."""
    scripts: tuple[str, ...] = ()
    """Files of the module that are run as they are: copied beside the binaries."""
    mend: Mend | None = None
    """A change to the module, which is then built from a copy."""
    resources: str = ""
    """Folder of the module with its custom resource definitions: copied beside them as `crds/`."""


DELETIONS_SEEN = Mend(
    file="pkg/await/condition/deleted.go",
    reads={
        '\t"sync/atomic"\n': '\t"sync/atomic"\n\t"time"\n',
        "\twg.Wait()\n": """\
\tended := make(chan struct{})
\tgo func() { wg.Wait(); close(ended) }()
\tfor watching := true; watching && !dc.deleted.Load(); {
\t\tselect {
\t\tcase <-ended:
\t\t\twatching = false
\t\tcase <-time.After(time.Second):
\t\t\tdc.refreshClusterState()
\t\t}
\t}
""",
    },
)
"""Asks again each second whether an object is gone. This provider asks once, and waits ten minutes
where the object goes between that and the start of its watch (pulumi-kubernetes issue 3317; mended
upstream by pull requests 3550 and 3688, in releases that the module proxy does not serve)."""

PULUMI = (
    Tool(
        name="pulumi",
        binaries={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0"},
        minutes=4,
    ),
    Tool(
        name="pulumi-language-python",
        binaries={
            "pulumi-language-python": (
                "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
            ),
        },
        variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.79.0"},
        module="github.com/pulumi/pulumi/sdk/v3",
        scripts=("python/cmd/pulumi-language-python-exec",),
        minutes=0.5,
    ),
    Tool(
        name="pulumi-resource-kubernetes",
        binaries={"pulumi-resource-kubernetes": "."},
        variables={
            "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version": "4.18.1",
        },
        module="github.com/pulumi/pulumi-kubernetes/provider/v4",
        embedded=(
            "cmd/pulumi-resource-kubernetes/schema.json",
            "cmd/pulumi-resource-kubernetes/terraform-mapping.json",
        ),
        mend=DELETIONS_SEEN,
        minutes=6,
    ),
)
"""What `pulumi up` needs where the official CLI is not installed.

One engine, one older language host, one older provider: the newest of each that the Go module proxy
serves with all its parts. The official releases on PATH are newer and preferred.
"""

CONTROL_PLANE = (
    Tool(name="etcd", binaries={"etcd": "go.etcd.io/etcd/server/v3"}, minutes=0.5),
    Tool(
        name="kubernetes",
        binaries={
            f"kube-{part}": f"k8s.io/kubernetes/cmd/kube-{part}"
            for part in ("apiserver", "controller-manager", "scheduler")
        },
        variables={"k8s.io/component-base/version.gitVersion": "v1.35.3"},
        minutes=6,
    ),
    Tool(name="kwok", binaries={"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, minutes=2),
)
"""The Kubernetes API of the engine tests: always these pins, never what is on PATH."""

DATA_PLANE = (
    Tool(
        name="ratelimit",
        binaries={"ratelimit": "github.com/envoyproxy/ratelimit/src/service_cmd"},
        minutes=0.5,
    ),
    Tool(name="otel-collector", binaries={"otelcol": "."}, minutes=2),
    Tool(
        name="prometheus",
        binaries={
            name: f"github.com/prometheus/prometheus/cmd/{name}"
            for name in ("prometheus", "promtool")
        },
        # Of the discoveries only that of Kubernetes: the others are clients of a dozen clouds. The
        # package of Debian is built without it, and finds no pods.
        tags=("remove_all_sd", "enable_kubernetes_sd"),
        variables={"github.com/prometheus/common/version.Version": "3.9.1"},
        minutes=6,
    ),
)
"""What stands around the gateway in the tests of live traffic and is built here; see data_plane."""

AUTOSCALER = (
    Tool(
        name="keda",
        binaries={
            f"keda-{part}": f"github.com/kedacore/keda/v2/cmd/{part}"
            for part in ("operator", "adapter")
        },
        module="github.com/kedacore/keda/v2",
        resources="config/crd/bases",
        variables={"github.com/kedacore/keda/v2/version.Version": "2.20.0"},
        minutes=10,
    ),
)
"""KEDA: it carries a client for each of its scalers, hence the minutes."""

KARPENTER = (
    Tool(
        name="karpenter",
        binaries={},
        module="github.com/aws/karpenter-provider-aws",
        resources="pkg/apis/crds",
        minutes=0.1,
    ),
)
"""Karpenter's custom resource definitions: nothing is built, objects are checked against them."""
