// Command pulumi-resource-kubernetes is the Pulumi Kubernetes provider.
//
// The provider module's own main embeds files that its release process generates and that the
// module does not carry; this one embeds the sources of those files, which the build puts here.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version.Version, schema, terraformMapping)
}
