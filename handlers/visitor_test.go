package handlers

import "testing"

func TestLocalPath(t *testing.T) {
	for path, want := range map[string]string{
		"/deliveries?state=failed": "/deliveries?state=failed",
		"/":                        "/",
		"":                         "/other",
		"https://evil.example/":    "/other",
		"//evil.example/":          "/other",
		`/\evil.example/`:          "/other",
		"javascript:alert(1)":      "/other",
		"deliveries":               "/other",
		"/\n/evil.example":         "/other",
		"/\t/evil.example":         "/other",
	} {
		if got := localPath(path, "/other"); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}
