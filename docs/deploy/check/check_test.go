// Package check has the tests of what docs/deploy holds for containers. It is a module of its own, so that what they need
// is no dependency of Bookhook.
package check

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// TestKubernetes: the manifests have what Kubernetes' own types have, and nothing else; and what refers to one another
// does.
func TestKubernetes(t *testing.T) {
	file, err := os.ReadFile("../kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var deployment *appsv1.Deployment
	var service *corev1.Service
	kinds := map[string]int{}
	for documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(file))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		object, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		kinds[kind.Kind]++
		switch o := object.(type) {
		case *appsv1.Deployment:
			deployment = o
		case *corev1.Service:
			service = o
		}
	}
	for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget", "Ingress"} {
		if kinds[kind] != 1 {
			t.Errorf("got %d of kind %s, want 1", kinds[kind], kind)
		}
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	ports := map[string]bool{}
	for _, p := range container.Ports {
		ports[p.Name] = true
	}
	for _, port := range []string{
		service.Spec.Ports[0].TargetPort.StrVal, container.ReadinessProbe.HTTPGet.Port.StrVal, container.StartupProbe.HTTPGet.Port.StrVal, container.LivenessProbe.TCPSocket.Port.StrVal,
	} {
		if !ports[port] {
			t.Errorf("there is no port %q", port)
		}
	}
	for key, value := range service.Spec.Selector {
		if deployment.Spec.Template.Labels[key] != value {
			t.Errorf("the service selects %s=%s, which the pods do not have", key, value)
		}
	}
	for _, mount := range container.VolumeMounts {
		if !hasVolume(deployment.Spec.Template.Spec.Volumes, mount.Name) {
			t.Errorf("there is no volume %s", mount.Name)
		}
	}
}

func hasVolume(all []corev1.Volume, name string) bool {
	for _, v := range all {
		if v.Name == name {
			return true
		}
	}
	return false
}

// TestCompose: the file is valid, as Compose itself reads it, and needs both variables.
func TestCompose(t *testing.T) {
	load := func(env map[string]string) (*types.Project, error) {
		return loader.LoadWithContext(t.Context(), types.ConfigDetails{WorkingDir: "..", ConfigFiles: []types.ConfigFile{{Filename: "../compose.yaml"}}, Environment: env})
	}
	project, err := load(map[string]string{"BOOKHOOK_DOMAIN": "hooks.example.com", "POSTGRES_PASSWORD": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if got := *project.Services["bookhook"].Environment["BOOKHOOK_DATABASE"]; got != "postgres://bookhook:secret@postgres/bookhook?sslmode=disable" {
		t.Errorf("got database %s", got)
	}
	for name := range project.Services {
		if name != "caddy" && len(project.Services[name].Ports) > 0 {
			t.Errorf("%s can be reached from outside", name)
		}
	}
	for _, missing := range []string{"BOOKHOOK_DOMAIN", "POSTGRES_PASSWORD"} {
		env := map[string]string{"BOOKHOOK_DOMAIN": "hooks.example.com", "POSTGRES_PASSWORD": "secret"}
		delete(env, missing)
		if _, err := load(env); err == nil {
			t.Errorf("without %s: no error", missing)
		}
	}
}
