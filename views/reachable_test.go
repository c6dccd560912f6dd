package views

import (
	"strings"
	"testing"

	"bookhook/webhook"
)

func TestAddressWarning(t *testing.T) {
	operator, admin := webhook.User{Role: webhook.RoleOperator}, webhook.User{Role: webhook.RoleAdmin}
	for address, want := range map[string]string{
		"http://127.0.0.1:8080/in/tourcms/x":     "TourCMS cannot call this address: it leads to your own computer.",
		"http://localhost:8080/in/tourcms/x":     "TourCMS cannot call this address: it leads to your own computer.",
		"https://[::1]/in/tourcms/x":             "TourCMS cannot call this address: it leads to your own computer.",
		"https://10.1.2.3/in/tourcms/x":          "TourCMS cannot call this address: it is inside your network.",
		"http://192.168.0.7:8080/in/tourcms/x":   "TourCMS cannot call this address: it is inside your network.",
		"http://hooks.example.com/in/tourcms/x":  "Bookings would travel to this address without encryption",
		"https://hooks.example.com/in/tourcms/x": "",
		"https://203.0.113.7/in/tourcms/x":       "",
	} {
		got := addressWarning(address, "TourCMS", operator)
		if !strings.HasPrefix(got, want) || want == "" && got != "" || strings.Contains(got, "--base-url") {
			t.Errorf("%s: got %q, want %q and no flag for an operator", address, got, want)
		}
		if got := addressWarning(address, "TourCMS", admin); want != "" && !strings.Contains(got, "--base-url") {
			t.Errorf("%s: got %q for an admin, want the flag", address, got)
		}
	}
}

func TestLinksWarning(t *testing.T) {
	for base, warns := range map[string]bool{"http://127.0.0.1:8080": true, "http://localhost:8080": true, "https://hooks.example.com": false, "http://192.168.0.7": false} {
		admin, operator := linksWarning(base, webhook.User{Role: webhook.RoleAdmin}), linksWarning(base, webhook.User{Role: webhook.RoleOperator})
		if strings.Contains(admin, "--base-url") != warns || strings.Contains(operator, "Ask the person") != warns || strings.Contains(operator, "--base-url") {
			t.Errorf("%s: got %q and %q", base, admin, operator)
		}
	}
}
